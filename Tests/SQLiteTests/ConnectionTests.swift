import Glibc
import Platform
import Testing

@testable import SQLite

@Suite struct ConnectionTests {
    private let scratch = Scratch()

    private func open(
        _ name: String = "a.db", _ mode: Connection.Mode = .readWriteCreate
    ) throws -> Connection {
        try Connection(
            opening: scratch.path.appending(name), mode: mode, busyTimeoutMilliseconds: 0)
    }

    @Test func errorNamesTheExtendedCodeTheStatementAndThePath() throws {
        let connection = try open()
        try connection.execute("CREATE TABLE t (a UNIQUE); INSERT INTO t VALUES (1)")
        let insert = try connection.prepare("INSERT INTO t VALUES (?)")
        insert.bind(Int64(1), at: 1)
        let error = #expect(throws: SQLiteError.self) { try insert.step() }
        #expect(error?.code == 2067)
        #expect(error?.primaryCode == 19)
        #expect(error?.sql == "INSERT INTO t VALUES (?)")
        #expect(error?.path == scratch.path.appending("a.db"))
        #expect(error?.description.contains("UNIQUE constraint failed: t.a") == true)
    }

    @Test func statementThatDoesNotCompileIsAnErrorWithItsText() throws {
        let error = #expect(throws: SQLiteError.self) { try open().prepare("SELEC") }
        #expect(error?.sql == "SELEC")
    }

    @Test func missingFileIsNotMadeUnlessAskedFor() throws {
        let error = #expect(throws: SQLiteError.self) { try open("none.db", .readWrite) }
        #expect(error?.primaryCode == 14)
        #expect(throws: SQLiteError.self) { try open("none.db", .readOnly) }
    }

    @Test func transactionThatThrowsLeavesNothing() throws {
        struct Stop: Error {}
        let connection = try open()
        try connection.execute("CREATE TABLE t (a)")
        #expect(throws: Stop.self) {
            try connection.transaction {
                try connection.execute("INSERT INTO t VALUES (1)")
                throw Stop()
            }
        }
        #expect(!connection.isInTransaction)
        let count = try connection.prepare("SELECT count(*) FROM t")
        #expect(try count.step())
        #expect(count.integer(at: 0) == 0)
    }

    @Test func lockedDatabaseIsBusy() throws {
        let first = try open()
        try first.execute("CREATE TABLE t (a); BEGIN EXCLUSIVE")
        let second = try open()
        let error = #expect(throws: SQLiteError.self) {
            try second.transaction { try second.execute("INSERT INTO t VALUES (1)") }
        }
        #expect(error?.isBusy == true)
    }

    @Test func fileThatIsNoDatabaseIsToldApart() throws {
        let connection = try open()
        try connection.execute("CREATE TABLE t (a)")
        try connection.close()
        let file = fopen(scratch.path.appending("a.db").description, "r+")
        fputs("nothing of the kind", file)
        fclose(file)
        let error = #expect(throws: SQLiteError.self) { try open().execute("SELECT * FROM t") }
        #expect(error?.isNotADatabase == true)
    }

    @Test(arguments: ["file:a?mode=memory", ":memory:", "with space#%.db"])
    func nameIsAlwaysThatOfAFile(_ name: String) throws {
        let connection = try open(name)
        try connection.execute("CREATE TABLE t (a)")
        let path = scratch.path.appending(name)
        #expect(connection.resolvedPath == path)
        #expect(path.withCString { access($0, F_OK) } == 0)
        try connection.close()
        let again = try Connection(opening: path, mode: .immutable, busyTimeoutMilliseconds: 0)
        #expect(try again.prepare("SELECT * FROM t").step() == false)
    }

    @Test func closingRefusesWhileAStatementLives() throws {
        let connection = try open()
        let statement = try connection.prepare("SELECT 1")
        #expect(throws: SQLiteError.self) { try connection.close() }
        #expect(try statement.step())
    }

    @Test func useAfterClosingIsAnError() throws {
        let connection = try open()
        try connection.close()
        #expect(throws: SQLiteError.self) { try connection.execute("SELECT 1") }
    }
}
