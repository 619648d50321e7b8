import Glibc
import Platform
import SQLite
import Testing

/// Databases that others write to while they are backed up.
@Suite(.serialized)
struct DatabaseTests {
    @Test(arguments: ["wal", "delete", "truncate", "persist"])
    func databaseUnderFullWriteLoadIsCapturedAsOneState(mode: String) throws {
        let fixture = try HoldfastFixture()
        let live = fixture.source + "/live.db"
        let seconds = TestExtent.isFull ? "20" : "2"
        let writer = try Subprocess(
            [HoldfastFixture.products + "/DatabaseWriter", live, mode, seconds], output: .pipe)
        try fixture.shell(
            "for i in {1..200}; do sqlite3 source/live.db 'SELECT count(*) FROM counter' "
                + "2>/dev/null | grep -q 1 && break; sleep 0.05; done")
        let backups = TestExtent.isFull ? 10 : 2
        var notes = ""
        for _ in 0..<backups {
            notes += expect(try fixture.run("backup", "-v", fixture.source), code: 0).output
        }
        let printed = String(
            decoding: try #require(try writer.takeOutput()?.readAll(limit: 100)), as: UTF8.self)
        #expect(try writer.wait() == .exited(0))
        let last = try #require(Int(printed.filter(\.isNumber)))
        #expect(mode == "wal" || notes.contains("writers were held up for"), "\(notes)")
        var earlier = -1
        for age in stride(from: backups - 1, through: 0, by: -1) {
            let target = "restored-\(age)"
            try expect(
                fixture.run(
                    "restore", "latest~\(age):\(fixture.source)", "-t", "\(fixture.root)/\(target)"),
                code: 0)
            #expect(try fixture.lines("ls -A \(target)") == ["live.db"])
            let counter = try expectInvariant(fixture, "\(target)/live.db")
            // On a slow machine the writer may be through before the first backup is.
            #expect(counter > earlier && counter <= last || counter == last && earlier == last)
            earlier = counter
        }
        try expect(fixture.run("verify", "--read-data"), code: 0)
    }

    /// Checks a restored database against itself and against the rows the writer still has.
    private func expectInvariant(_ fixture: HoldfastFixture, _ database: String) throws -> Int {
        let answers = try fixture.lines(
            """
            sqlite3 \(database) "ATTACH 'source/live.db' AS live; PRAGMA main.integrity_check;
                SELECT sum(balance) FROM main.account;
                SELECT max(value) - (SELECT value FROM main.counter) FROM main.history;
                SELECT max(value) - min(value) + 1 - count(*) FROM main.history;
                SELECT count(*) FROM main.history a JOIN live.history b USING (value)
                    WHERE a.note IS NOT b.note;
                SELECT value FROM main.counter"
            """)
        #expect(answers.dropLast() == ["ok", "0", "0", "0", "0"], "\(database)")
        return Int(answers.last ?? "") ?? -1
    }

    private static let shapes = [
        (512, "none", "wal"), (65536, "full", "persist"), (1024, "full", "delete"),
        (4096, "incremental", "wal"), (8192, "full", "wal"), (65536, "incremental", "wal"),
    ]

    @Test(arguments: TestExtent.isFull ? shapes : Array(shapes.prefix(2)))
    func everyStageOfADatabaseComesBack(
        pageSize: Int, vacuum: String, mode: String
    ) throws {
        let fixture = try HoldfastFixture()
        let stages = [
            "CREATE TABLE t (id INTEGER PRIMARY KEY, a, b); CREATE INDEX i ON t (a); "
                + "WITH RECURSIVE n (x) AS (VALUES (1) UNION ALL SELECT x + 1 FROM n LIMIT 5000) "
                + "INSERT INTO t SELECT x, hex(randomblob(20)), randomblob(x % 700) FROM n",
            "UPDATE t SET a = hex(randomblob(20)) WHERE id % 50 = 7",
            "SELECT 1",
            "VACUUM",
            "DELETE FROM t WHERE id > 900; PRAGMA incremental_vacuum",
            "VACUUM",
            "CREATE TABLE u AS SELECT * FROM t; ALTER TABLE t ADD COLUMN c DEFAULT 5",
            "DROP TABLE t; DROP TABLE u; VACUUM",
        ]
        try fixture.shell(
            "sqlite3 source/d.db 'PRAGMA page_size = \(pageSize); PRAGMA auto_vacuum = \(vacuum);"
                + "PRAGMA journal_mode = \(mode); CREATE TABLE first (x)'")
        for (index, stage) in stages.enumerated() {
            try fixture.shell(
                "sqlite3 source/d.db \"\(stage)\" >/dev/null; sqlite3 source/d.db .dump >dump-\(index)"
            )
            try expect(fixture.run("backup", fixture.source), code: 0)
        }
        for index in stages.indices {
            let age = stages.count - 1 - index
            try expect(
                fixture.run(
                    "restore", "latest~\(age):\(fixture.source)", "-t", "\(fixture.root)/r\(index)"),
                code: 0)
            let check = try fixture.lines(
                "sqlite3 r\(index)/d.db .dump | cmp - dump-\(index); "
                    + "sqlite3 r\(index)/d.db 'PRAGMA integrity_check; PRAGMA page_size'")
            #expect(check == ["ok", "\(pageSize)"], "stage \(index)")
        }
        try expect(fixture.run("verify", "--read-data"), code: 0)
    }

    @Test func fewUpdatedRowsStoreLittle() throws {
        let fixture = try HoldfastFixture()
        let rows = TestExtent.isFull ? 400_000 : 60_000
        try fixture.shell(
            """
            sqlite3 source/users.db "CREATE TABLE user (id INTEGER PRIMARY KEY, name TEXT,
                mail TEXT, digest TEXT, seen INTEGER, note TEXT);
                WITH RECURSIVE n (x) AS (VALUES (1) UNION ALL SELECT x + 1 FROM n LIMIT \(rows))
                INSERT INTO user SELECT x, 'user-' || x, 'user' || x || '@example.org',
                    hex(randomblob(32)), 1700000000 + x, hex(randomblob(70)) FROM n"
            """)
        let size = try #require(Double(fixture.lines("stat -c %s source/users.db")[0]))
        let first = try fixture.run("backup", "--json", fixture.source)
        let base = try #require(expect(first, code: 0).number("data_added_packed"))
        try fixture.shell(
            "sqlite3 source/users.db 'UPDATE user SET seen = seen + 12345, digest = "
                + "hex(randomblob(32)) WHERE abs(random() % 50) = 7'")
        let second = try fixture.run("backup", "--json", fixture.source)
        let added = try #require(expect(second, code: 0).number("data_added_packed"))
        print("2 % of \(rows) rows updated: database \(size), base \(base), then \(added) bytes")
        #expect(added < size * 0.15)
        try fixture.shell(
            "sqlite3 source/users.db 'SELECT 1' >/dev/null; cp source/users.db now.db")
        try expect(
            fixture.run("restore", "latest:\(fixture.source)", "-t", fixture.target), code: 0)
        try fixture.shell("cmp target/users.db now.db")
    }

    @Test(arguments: TestExtent.isFull ? ["delete", "wal"] : ["delete"])
    func lockedDatabaseIsNamedAndNeverCopied(mode: String) throws {
        let fixture = try HoldfastFixture()
        try fixture.shell(
            "sqlite3 source/d.db 'PRAGMA journal_mode = \(mode); CREATE TABLE t (x); "
                + "INSERT INTO t VALUES (1)'; echo f >source/f")
        let holder = try Connection(
            opening: FilePath(fixture.source + "/d.db"), mode: .readWrite,
            busyTimeoutMilliseconds: 1000)
        try holder.execute(
            "PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE; INSERT INTO t VALUES (2)")
        let run = expect(try fixture.run("backup", fixture.source), code: 3)
        #expect(run.errors.contains("\(fixture.source)/d.db") && run.errors.contains("locked"))
        try holder.execute("COMMIT")
        try holder.close()
        let listing = try fixture.run("ls", "-l", "latest:\(fixture.source)").output
        #expect(listing.contains("not saved"), "\(listing)")
        #expect(!listing.contains("hint:") && listing.hasSuffix("\n"), "\(listing)")
        let restored = expect(
            try fixture.run("restore", "latest:\(fixture.source)", "-t", fixture.target), code: 3)
        #expect(restored.errors.contains("\(fixture.target)/d.db: not in the snapshot"))
        #expect(restored.errors.contains("locked"), "\(restored)")
        #expect(try fixture.lines("ls -A target") == ["f"])
        let alone = expect(
            try fixture.run("restore", "latest:\(fixture.source)/d.db", "-t", fixture.target),
            code: 1)
        #expect(!alone.errors.contains("restored snapshot"), "\(alone)")
        #expect(try fixture.run("snapshots").output.contains("could not be read)"))
        let drill = expect(try fixture.run("verify", "--drill", "-v"), code: 0)
        #expect(
            drill.output.contains("that could not be read then: \(fixture.source)/d.db"),
            "\(drill)")
        try expect(fixture.run("backup", fixture.source), code: 0)
    }

    @Test func whatIsNoDatabaseThatCanBeOpenedIsAPlainFileAndSaidSo() throws {
        let fixture = try HoldfastFixture()
        try fixture.shell(
            """
            cd source; sqlite3 good.db 'PRAGMA journal_mode = wal; CREATE TABLE t (x)' >/dev/null
            cp good.db wal2.db; printf '\\3\\3' | dd of=wal2.db bs=1 seek=18 conv=notrunc 2>/dev/null
            { head -c 100 good.db; head -c 20000 /dev/urandom; } >damaged.db
            head -c 32768 /dev/urandom >encrypted.db
            for d in wal2 encrypted; do echo log-$d >$d.db-wal; echo jr >$d.db-journal; done
            echo log-damaged >damaged.db-wal; cp -a . ../before
            """)
        let run = expect(try fixture.run("backup", "-v", fixture.source), code: 0)
        for name in ["wal2", "damaged"] {
            // Opening a database may mend it from its log, or throw the log away: not this one.
            #expect(run.output.contains("\(name).db: stored as a plain file"), "\(run)")
        }
        try expect(
            fixture.run("restore", "latest:\(fixture.source)", "-t", fixture.target), code: 0)
        try fixture.shell(
            "cd target; for f in {wal2,encrypted}.db{,-wal,-journal} damaged.db{,-wal}; do "
                + "cmp $f ../before/$f; cmp ../source/$f ../before/$f; done; ! [ -e good.db-wal ]")
    }

    @Test func databasesAreFilesWhereThatIsAskedFor() throws {
        let fixture = try HoldfastFixture()
        let holder = try Connection(
            opening: FilePath(fixture.source + "/d.db"), mode: .readWriteCreate,
            busyTimeoutMilliseconds: 1000)
        try holder.execute(
            "PRAGMA journal_mode = WAL; CREATE TABLE t (x); INSERT INTO t VALUES (1)")
        // The second time the file is unchanged, and stored as a plain file all the same.
        for _ in 0..<2 {
            usleep(2_100_000)
            let run = try fixture.run("backup", "-v", "--no-sqlite", fixture.source)
            #expect(
                expect(run, code: 0).output.contains("Databases: 0 captured, 1 as plain files"),
                "\(run)")
        }
        try expect(
            fixture.run("restore", "latest:\(fixture.source)", "-t", fixture.target), code: 0)
        try fixture.shell("cmp target/d.db source/d.db; cmp target/d.db-wal source/d.db-wal")
        try holder.close()
    }

    @Test func olderCopyPutBackBeginsANewEpoch() throws {
        let fixture = try HoldfastFixture()
        let position = {
            let listing = try fixture.run("ls", "-l", "latest:\(fixture.source)").output
            return listing.split(separator: " ").last.map(String.init) ?? listing
        }
        try fixture.shell(
            "sqlite3 source/d.db 'CREATE TABLE t (x); INSERT INTO t VALUES (1)'; cp source/d.db old"
        )
        try expect(fixture.run("backup", fixture.source), code: 0)
        #expect(try position() == "1/1)\n")
        try fixture.shell("sqlite3 source/d.db 'INSERT INTO t VALUES (2)'")
        try fixture.shell("sqlite3 source/d.db 'INSERT INTO t VALUES (3)'")
        try expect(fixture.run("backup", fixture.source), code: 0)
        #expect(try position() == "1/2)\n")
        try fixture.shell("cp old source/d.db")
        try expect(fixture.run("backup", fixture.source), code: 0)
        #expect(try position().hasPrefix("2/"))
        for (age, rows) in [(0, "1"), (1, "3"), (2, "1")] {
            let target = "\(fixture.root)/r\(age)"
            try expect(
                fixture.run("restore", "latest~\(age):\(fixture.source)", "-t", target), code: 0)
            #expect(try fixture.lines("sqlite3 r\(age)/d.db 'SELECT count(*) FROM t'") == [rows])
        }
        try expect(fixture.run("verify", "--read-data"), code: 0)
    }

    @Test func logUnderASecondNameOfADatabaseIsNeverMissedInSilence() throws {
        let fixture = try HoldfastFixture()
        try fixture.shell(
            "sqlite3 source/a.db 'PRAGMA journal_mode = wal; CREATE TABLE t (x)' >/dev/null; "
                + "ln source/a.db source/b.db; ln source/a.db elsewhere.db; mkdir source/c")
        let quiet = expect(try fixture.run("backup", "-v", fixture.source), code: 0)
        #expect(quiet.output.contains("a.db: has 1 more name outside"), "\(quiet)")
        let holder = try Connection(
            opening: FilePath(fixture.source + "/b.db"), mode: .readWrite,
            busyTimeoutMilliseconds: 1000)
        try holder.execute("INSERT INTO t VALUES (1)")
        let run = expect(try fixture.run("backup", fixture.source), code: 3)
        #expect(
            run.errors.contains("\(fixture.source)/b.db")
                && run.errors.contains("another name of \(fixture.source)/a.db"), "\(run)")
        let listing = try fixture.run("ls", "-l", "latest:\(fixture.source)").output
        #expect(listing.contains("not saved"), "\(listing)")
        try holder.close()
        try expect(fixture.run("backup", fixture.source), code: 0)
    }

    @Test func secondNameOfADatabaseComesBackAsOne() throws {
        let fixture = try HoldfastFixture()
        try fixture.shell(
            "mkdir source/x; sqlite3 source/d.db 'CREATE TABLE t (x); INSERT INTO t VALUES (7)';"
                + "ln source/d.db source/x/again.db; ln -s d.db source/link.db")
        for _ in 0..<2 { try expect(fixture.run("backup", fixture.source), code: 0) }
        try expect(
            fixture.run("restore", "latest:\(fixture.source)", "-t", fixture.target, "--verify"),
            code: 0)
        #expect(
            try fixture.lines(
                "for d in d.db x/again.db link.db; do sqlite3 target/$d 'SELECT x FROM t'; done")
                == ["7", "7", "7"])
        #expect(try fixture.lines("stat -c %h target/d.db target/x/again.db") == ["2", "2"])
    }

    @Test func aDatabaseThatWasStoredAsAPlainFileBeforeComesBackAsBoth() throws {
        let fixture = try HoldfastFixture()
        try fixture.shell(
            "sqlite3 source/small.db 'create table t (n); insert into t values (42)'")
        expect(try fixture.run("backup", "--no-sqlite", fixture.source), code: 0)
        expect(try fixture.run("backup", fixture.source), code: 0)
        for snapshot in ["latest", "latest~1"] {
            try fixture.shell("rm -rf target")
            expect(try fixture.run("restore", snapshot, "-t", fixture.target), code: 0)
            #expect(
                try fixture.lines("sqlite3 target$PWD/source/small.db 'select n from t'") == ["42"])
        }
        expect(try fixture.run("verify", "--read-data"), code: 0)
    }
}
