import Codec
import Platform
import Testing

@testable import SQLite

@Suite struct StatementTests {
    private let scratch = Scratch()

    private func open() throws -> Connection {
        try Connection(
            opening: scratch.path.appending("a.db"), mode: .readWriteCreate,
            busyTimeoutMilliseconds: 0)
    }

    @Test func valuesComeBackAsTheyWereBound() throws {
        let connection = try open()
        let digest = withUnsafeBytes(of: (1, 2, 3, 4)) { Digest(bytes: $0) }
        let select = try connection.prepare(
            "SELECT ?1, ?2, ?3, ?4, ?5, ?6, typeof(?6), typeof(?7), typeof(?8)")
        select.bind(Int64.min, at: 1)
        select.bind("säge\u{0}x", at: 2)
        select.bind([0, 255, 7], at: 3)
        select.bind(digest, at: 4)
        select.bind(0.5, at: 5)
        select.bindNull(at: 6)
        select.bind([UInt8](), at: 7)
        select.bind("", at: 8)
        #expect(try select.step())
        #expect(select.columnCount == 9)
        #expect(select.integer(at: 0) == .min)
        #expect(select.text(at: 1) == "säge\u{0}x")
        #expect(select.bytes(at: 2) == [0, 255, 7])
        #expect(select.digest(at: 3) == digest)
        #expect(select.digest(at: 2) == nil)
        #expect(select.real(at: 4) == 0.5)
        #expect(select.isNull(at: 5))
        #expect(select.text(at: 6) == "null")
        #expect(select.text(at: 7) == "blob")
        #expect(select.text(at: 8) == "text")
        #expect(try !select.step())
    }

    @Test func statementRunsAgainAfterReset() throws {
        let connection = try open()
        try connection.execute("CREATE TABLE t (a)")
        let insert = try connection.prepare("INSERT INTO t VALUES (?)")
        for value in Int64(1)...3 {
            insert.bind(value, at: 1)
            #expect(try !insert.step())
            insert.reset()
        }
        try connection.execute("UPDATE t SET a = a + 1")
        #expect(connection.changes == 3)
    }

    @Test func bindingToNoParameterIsAnErrorOfTheNextStep() throws {
        let select = try open().prepare("SELECT ?")
        select.bind(Int64(1), at: 2)
        let error = #expect(throws: SQLiteError.self) { try select.step() }
        #expect(error?.code == 25)
        #expect(try select.step())
    }

    @Test func statementKeepsItsConnectionOpen() throws {
        let statement = try open().prepare("SELECT 42")
        #expect(try statement.step())
        #expect(statement.integer(at: 0) == 42)
    }
}
