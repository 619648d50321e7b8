import Glibc
import Platform
import SQLite
import Testing

@testable import Timeline

@Suite struct CaptureStateTests {
    private let scratch = CaptureScratch()

    /// Captures a database into `copy.db` and opens that.
    private func capture(_ name: String) throws -> Connection {
        let reader = try DatabaseReader(opening: scratch.file(name))
        defer { reader.close() }
        scratch.write(try reader.withSnapshot(bytes(of:)), to: "copy.db")
        for suffix in ["-wal", "-shm"] { unlink(scratch.file("copy.db" + suffix).description) }
        let copy = try scratch.open("copy.db")
        #expect(try value("PRAGMA integrity_check", in: copy) == "ok")
        return copy
    }

    @Test(
        arguments: [512, 1024, 2048, 4096, 8192, 16384, 32768, 65536],
        ["wal", "delete", "truncate", "persist"])
    func stateIsThatOfTheLastCommit(pageSize: Int, mode: String) throws {
        for autoVacuum in 0...2 {
            let name = "\(autoVacuum).db"
            let connection = try scratch.makeDatabase(
                name, pageSize: pageSize, mode: mode, autoVacuum: autoVacuum)
            try connection.execute("DELETE FROM t WHERE a % 3 = 0")
            #expect(try rows(in: capture(name)) == rows(in: connection))
            try connection.execute("DELETE FROM t WHERE a > 20; VACUUM")
            #expect(try rows(in: capture(name)) == rows(in: connection))
            try scratch.insert(50, into: connection)
            #expect(try rows(in: capture(name)) == rows(in: connection))
        }
    }

    @Test(arguments: ["wal", "delete"])
    func whatIsNotCommittedIsNotRead(mode: String) throws {
        let connection = try scratch.makeDatabase("a.db", mode: mode)
        let before = try rows(in: connection)
        try connection.execute("BEGIN; DELETE FROM t WHERE a < 100")
        #expect(try rows(in: capture("a.db")) == before)
    }

    @Test func hotJournalIsRolledBack() throws {
        let connection = try scratch.makeDatabase("a.db", mode: "delete", rows: 2000)
        let before = try rows(in: connection)
        // With a cache of ten pages the transaction spills into the database.
        try connection.execute("PRAGMA cache_size = 10; BEGIN; UPDATE t SET b = randomblob(900)")
        try scratch.copy("a.db", to: "crashed.db")
        try scratch.copy("a.db-journal", to: "crashed.db-journal")
        #expect(try scratch.contents("crashed.db-journal").count > 100_000)
        #expect(try rows(in: capture("crashed.db")) == before)
    }

    @Test func firstPageThatACrashLeftTornIsRolledBack() throws {
        let connection = try scratch.makeDatabase("a.db", mode: "delete", rows: 2000)
        let before = try rows(in: connection)
        try connection.execute("PRAGMA cache_size = 10; BEGIN; CREATE TABLE u (a)")
        try connection.execute("UPDATE t SET b = randomblob(900)")
        var torn = try scratch.contents("a.db")
        torn.replaceSubrange(0..<512, with: [UInt8](repeating: 0, count: 512))
        scratch.write(torn, to: "crashed.db")
        try scratch.copy("a.db-journal", to: "crashed.db-journal")
        #expect(try rows(in: capture("crashed.db")) == before)
    }

    @Test func logOfACrashedProcessIsRead() throws {
        let connection = try scratch.makeDatabase("a.db", mode: "wal")
        try connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        try scratch.insert(300, into: connection)
        try scratch.copy("a.db", to: "crashed.db")
        try scratch.copy("a.db-wal", to: "crashed.db-wal")
        #expect(try scratch.contents("crashed.db-wal").count > 100_000)
        #expect(try rows(in: capture("crashed.db")) == rows(in: connection))
    }

    @Test func viewKeepsItsStateWhileOthersWriteAndCheckpoint() throws {
        let connection = try scratch.makeDatabase("a.db", mode: "wal")
        try connection.execute("PRAGMA busy_timeout = 0")
        let reader = try DatabaseReader(opening: scratch.file("a.db"))
        // Once with frames that only the log has, once with a log that is wholly backfilled.
        for checkpoint in ["PRAGMA user_version = 1", "PRAGMA wal_checkpoint"] {
            try connection.execute(checkpoint)
            let before = try rows(in: connection)
            try reader.withSnapshot { view in
                for _ in 0..<3 {
                    try connection.execute("UPDATE t SET b = randomblob(500)")
                    try connection.execute("DELETE FROM t WHERE a % 10 = 0; VACUUM")
                    try connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
                    scratch.write(try bytes(of: view), to: "copy.db")
                }
            }
            let copy = try scratch.open("copy.db")
            #expect(try value("PRAGMA integrity_check", in: copy) == "ok")
            #expect(try rows(in: copy) == before)
            try copy.close()
        }
        #expect(reader.longestHoldNanoseconds == 0)
    }

    @Test func runOfPagesEqualsItsPagesReadOneByOne() throws {
        let connection = try scratch.makeDatabase("a.db", mode: "wal", rows: 1000)
        try connection.execute(
            "PRAGMA wal_checkpoint; UPDATE t SET b = randomblob(9) WHERE a % 50 = 0")
        let reader = try DatabaseReader(opening: scratch.file("a.db"))
        try reader.withSnapshot { view in
            let whole = try bytes(of: view)
            for page in 1...view.pageCount {
                try withUnsafeTemporaryAllocation(byteCount: view.pageSize, alignment: 8) {
                    buffer in
                    try view.read(pagesFrom: page, count: 1, into: buffer)
                    let start = Int(page - 1) * view.pageSize
                    #expect(buffer.elementsEqual(whole[start..<start + view.pageSize]))
                }
            }
        }
    }

    @Test(.enabled(if: getenv("HOLDFAST_ALL") != nil))
    func lockPageIsSkipped() throws {
        let connection = try scratch.open(
            "a.db",
            """
            PRAGMA page_size = 65536; PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;
            CREATE TABLE t (a INTEGER PRIMARY KEY, b BLOB);
            WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n LIMIT 9)
                INSERT INTO t (b) SELECT zeroblob(120000000) FROM n;
            """)
        try connection.close()
        let reader = try DatabaseReader(opening: scratch.file("a.db"))
        let copy = try #require(fopen(scratch.file("copy.db").description, "w"))
        try reader.withSnapshot { view in
            #expect(view.pageCount > 16385)
            var buffer = [UInt8](repeating: 0xee, count: 256 << 10)
            for first in stride(from: 1, through: view.pageCount, by: 4) {
                let count = Int(min(4, view.pageCount - first + 1))
                try buffer.withUnsafeMutableBytes {
                    let run = UnsafeMutableRawBufferPointer(rebasing: $0[..<(count << 16)])
                    try view.read(pagesFrom: first, count: count, into: run)
                    fwrite(run.baseAddress, 1, run.count, copy)
                }
            }
        }
        fclose(copy)
        #expect(try value("PRAGMA quick_check", in: scratch.open("copy.db")) == "ok")
    }
}
