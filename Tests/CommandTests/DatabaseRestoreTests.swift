import Glibc
import Platform
import SQLite
import Simulation
import Testing

/// Databases that are put back where something is already.
@Suite(.serialized)
struct DatabaseRestoreTests {
    private func fixture(mode: String) throws -> HoldfastFixture {
        let fixture = try HoldfastFixture()
        try fixture.shell(
            "sqlite3 source/d.db 'PRAGMA journal_mode = \(mode); CREATE TABLE t (x); "
                + "INSERT INTO t VALUES (1)'")
        try expect(fixture.run("backup", fixture.source), code: 0)
        try fixture.shell("sqlite3 source/d.db 'INSERT INTO t VALUES (2), (3)'")
        return fixture
    }

    private func restore(_ fixture: HoldfastFixture, _ more: String...) throws -> RunResult {
        try fixture.start(
            ["restore", "latest:\(fixture.source)", "-t", fixture.source, "-v"] + more
        ).finish()
    }

    @Test(arguments: ["wal", "delete", "truncate", "persist"])
    func whoHasTheDatabaseOpenSeesTheRestoredContent(mode: String) throws {
        let fixture = try fixture(mode: mode)
        let holder = try Connection(
            opening: FilePath(fixture.source + "/d.db"), mode: .readWrite,
            busyTimeoutMilliseconds: 10_000)
        #expect(try number("SELECT count(*) FROM t", holder) == 3)
        // Verified as well, though SQLite counts up the schema cookie for whoever has it open.
        expect(try restore(fixture, "--delete", "--verify"), code: 0)
        #expect(try number("SELECT count(*) FROM t", holder) == 1)
        try holder.execute("INSERT INTO t VALUES (9)")
        #expect(
            try fixture.lines("sqlite3 source/d.db 'PRAGMA integrity_check; SELECT x FROM t'")
                == ["ok", "1", "9"])
        let kept = try fixture.lines("sqlite3 source/d.db 'PRAGMA journal_mode'")
        #expect(kept == [mode == "wal" ? "wal" : "delete"])
        try holder.close()
    }

    private func number(_ query: String, _ connection: Connection) throws -> Int64? {
        let statement = try connection.prepare(query)
        return try statement.step() ? statement.integer(at: 0) : nil
    }

    @Test func restoreUnderWriteLoadIsOneTransaction() throws {
        let fixture = try HoldfastFixture()
        let writer = HoldfastFixture.products + "/DatabaseWriter"
        let live = fixture.source + "/d.db"
        _ = try Subprocess.run([writer, live, "wal", "1"], outputLimit: 100)
        try expect(fixture.run("backup", fixture.source), code: 0)
        let busy = try Subprocess([writer, live, "wal", "3"], output: .null)
        try fixture.shell("sleep 0.5")
        // The writer counts on from its own memory, so that it may fail once; nothing is torn.
        expect(try restore(fixture), code: 0)
        _ = try busy.wait()
        #expect(try fixture.lines("sqlite3 source/d.db 'PRAGMA integrity_check'") == ["ok"])
        #expect(
            try fixture.lines("sqlite3 source/d.db 'SELECT sum(balance) FROM account'") == ["0"])
    }

    @Test func damagedFileIsKeptAside() throws {
        let fixture = try fixture(mode: "delete")
        try fixture.shell("head -c 9000 /dev/urandom >source/d.db; cp source/d.db was")
        let run = expect(try restore(fixture), code: 0)
        #expect(run.output.contains("kept as"), "\(run)")
        #expect(try fixture.lines("sqlite3 source/d.db 'SELECT x FROM t'") == ["1"])
        try fixture.shell("cmp source/d.db.before-restore* was")
        // A file whose head is whole and whose pages are not is damaged all the same.
        try fixture.shell(
            "head -c 4000 /dev/urandom | dd of=source/d.db bs=1 seek=100 conv=notrunc 2>/dev/null")
        expect(try restore(fixture), code: 0)
        #expect(
            try fixture.lines("sqlite3 source/d.db 'PRAGMA integrity_check; SELECT x FROM t'")
                == ["ok", "1"])
        try fixture.shell("truncate -s 0 source/d.db")
        expect(try restore(fixture), code: 0)
        #expect(try fixture.lines("sqlite3 source/d.db 'SELECT x FROM t'") == ["1"])
    }

    @Test func logOfALostDatabaseIsMovedAside() throws {
        let fixture = try HoldfastFixture()
        let holder = try Connection(
            opening: FilePath(fixture.source + "/d.db"), mode: .readWriteCreate,
            busyTimeoutMilliseconds: 1000)
        try holder.execute(
            "PRAGMA journal_mode = WAL; CREATE TABLE t (x); INSERT INTO t VALUES (1)")
        try expect(fixture.run("backup", fixture.source), code: 0)
        try holder.execute("INSERT INTO t VALUES (2)")
        try fixture.shell("mkdir lost; cp source/d.db-wal lost; echo stale >lost/d.db-journal")
        try holder.close()
        let run = try fixture.run(
            "restore", "latest:\(fixture.source)", "-t", fixture.root + "/lost", "-v")
        expect(run, code: 0)
        #expect(try fixture.lines("sqlite3 lost/d.db 'SELECT x FROM t'") == ["1"])
        #expect(try fixture.lines("ls lost | grep -c before-restore") == ["2"])
    }

    private func setTrap(_ fixture: HoldfastFixture) throws {
        let victim = fixture.root + "/victim"
        try fixture.shell("echo precious >victim")
        let journal = HostileJournal.bytes(
            pageCount: UInt32(try fixture.lines("sqlite3 source/d.db 'PRAGMA page_count'")[0]) ?? 2,
            superJournal: FilePath(victim))
        let file = try Descriptor.open(
            FilePath(fixture.source + "/d.db-journal"), flags: O_WRONLY | O_CREAT | O_EXCL)
        try journal.withUnsafeBytes {
            try Descriptor.write($0, to: file.raw, at: 0, path: FilePath(victim))
        }
    }

    @Test(.enabled(if: TestExtent.isRoot))
    func journalThatOthersPutBesideADatabaseRemovesNothingWithRootsRights() throws {
        let fixture = try fixture(mode: "delete")
        let before = try fixture.lines("sqlite3 source/d.db 'SELECT count(*) FROM t'")
        for (owner, mode, code) in [("0", "777", 1), ("1234", "777", 1), ("1234", "755", 0)] {
            try fixture.shell("chown \(owner):\(owner) source source/d.db; chmod \(mode) source")
            try setTrap(fixture)
            try fixture.shell("chown \(owner):\(owner) source/d.db-journal")
            let run = expect(try restore(fixture), code: Int32(code))
            #expect(code == 0 || run.errors.contains("others can write beside it"), "\(run)")
            let left = try fixture.lines("cat victim; rm -f victim source/d.db-journal")
            #expect(left == ["precious"])
            let rows = try fixture.lines("sqlite3 source/d.db 'SELECT count(*) FROM t'")
            #expect(rows == (code == 0 ? ["1"] : before))
        }
    }

    @Test(.enabled(if: TestExtent.isRoot), arguments: ["wal", "delete"])
    func databaseOfAnotherUserIsWrittenWithHisRights(mode: String) throws {
        let fixture = try fixture(mode: mode)
        try fixture.shell("chown -R 1234:1234 source")
        expect(try restore(fixture), code: 0)
        #expect(try fixture.lines("sqlite3 source/d.db 'SELECT x FROM t'") == ["1"])
        #expect(try fixture.lines("ls -A source") == ["d.db"])
    }

    @Test(arguments: [true, false])
    func logThatIsThereIsNotPlayedIntoADatabaseRestoredAsAPlainFile(isThere: Bool) throws {
        let fixture = try HoldfastFixture()
        try fixture.shell(
            "sqlite3 source/d.db 'PRAGMA journal_mode = wal; CREATE TABLE t (x); "
                + "INSERT INTO t VALUES (1)' >/dev/null; echo f >source/f")
        try expect(fixture.run("backup", "--no-sqlite", fixture.source), code: 0)
        // A service that was killed leaves its log, here that of a later state.
        let holder = try Connection(
            opening: FilePath(fixture.source + "/d.db"), mode: .readWrite,
            busyTimeoutMilliseconds: 1000)
        try holder.execute("UPDATE t SET x = 2; INSERT INTO t VALUES (3)")
        try fixture.shell(
            "cp source/d.db-wal log; echo own notes >source/f-wal; echo more >source/f-journal")
        try holder.close()
        try fixture.shell("cp log source/d.db-wal; \(isThere ? "" : "rm source/d.db")")
        let run = expect(try restore(fixture), code: 0)
        #expect(run.output.contains("kept as d.db-wal.before-restore-"), "\(run)")
        #expect(try fixture.lines("sqlite3 source/d.db 'SELECT x FROM t'") == ["1"])
        // What was committed there can still be had, and other files with such names are let be.
        try fixture.shell("cmp log source/d.db-wal.before-restore-*; cat source/f-{wal,journal}")
    }

    @Test func logThatTheSnapshotHasIsRestoredWithItsPlainFile() throws {
        let fixture = try HoldfastFixture()
        let holder = try Connection(
            opening: FilePath(fixture.source + "/d.db"), mode: .readWriteCreate,
            busyTimeoutMilliseconds: 1000)
        try holder.execute(
            "PRAGMA journal_mode = WAL; CREATE TABLE t (x); INSERT INTO t VALUES (1)")
        try expect(fixture.run("backup", "--no-sqlite", fixture.source), code: 0)
        try holder.execute("INSERT INTO t VALUES (2)")
        try fixture.shell("cp -a source later")
        try holder.close()
        let run = try fixture.run(
            "restore", "latest:\(fixture.source)", "-t", fixture.root + "/later")
        expect(run, code: 0)
        #expect(try fixture.lines("sqlite3 later/d.db 'SELECT x FROM t'") == ["1"])
    }

    @Test func pageSizeThatChangedIsRestored() throws {
        let fixture = try fixture(mode: "delete")
        try fixture.shell("sqlite3 source/d.db 'PRAGMA page_size = 1024; VACUUM'")
        expect(try restore(fixture), code: 0)
        #expect(
            try fixture.lines("sqlite3 source/d.db 'PRAGMA page_size; SELECT x FROM t'")
                == ["4096", "1"])
    }

    @Test(arguments: ["wal", "delete"])
    func databaseIsReplacedAsAskedFor(mode: String) throws {
        let fixture = try fixture(mode: mode)
        let count = { try fixture.lines("sqlite3 source/d.db 'SELECT count(*) FROM t'") }
        // It was changed after the backup, and so is newer.
        expect(try restore(fixture, "--overwrite", "if-newer"), code: 0)
        #expect(try count() == ["3"])
        let changed = expect(try restore(fixture, "--overwrite", "if-changed"), code: 0)
        #expect(try count() == ["1"])
        #expect(changed.output.contains("updated \(fixture.source)/d.db"), "\(changed)")
        // By its content, whatever its times are.
        try fixture.shell("touch -d 2001-01-01 source/d.db; rm -f source/d.db-wal source/d.db-shm")
        let same = expect(try restore(fixture, "--overwrite", "if-changed"), code: 0)
        #expect(!same.output.contains("updated"), "\(same)")
        #expect(try fixture.lines("stat -c %y source/d.db")[0].hasPrefix("2001-01-01"))
        let older = expect(try restore(fixture, "--overwrite", "if-newer"), code: 0)
        #expect(older.output.contains("updated \(fixture.source)/d.db"), "\(older)")
    }

    @Test func existingDatabaseStaysWhereItIsNotToBeOverwritten() throws {
        let fixture = try fixture(mode: "wal")
        expect(try restore(fixture, "--overwrite", "never"), code: 0)
        #expect(try fixture.lines("sqlite3 source/d.db 'SELECT count(*) FROM t'") == ["3"])
        expect(try restore(fixture, "--dry-run"), code: 0)
        #expect(try fixture.lines("sqlite3 source/d.db 'SELECT count(*) FROM t'") == ["3"])
    }
}
