import Glibc
import Platform
import Testing

/// A database that was backed up four times, a row more each time.
private final class MomentScene {
    let fixture: HoldfastFixture
    var database: String { fixture.source + "/d/a.db" }

    init() throws {
        fixture = try HoldfastFixture()
        try fixture.shell("mkdir source/d")
        for number in 1...4 {
            try fixture.shell(
                """
                sqlite3 source/d/a.db 'CREATE TABLE IF NOT EXISTS t (a)' 'INSERT INTO t VALUES (1)'
                echo \(number) >source/file
                """)
            try expect(fixture.run("backup", fixture.source), code: 0)
            // More than a second, so that what lies between two backups is in doubt.
            usleep(1_100_000)
        }
    }

    /// The moments at which the states were seen, oldest first.
    func moments() throws -> [String] {
        let run = try expect(fixture.run("history", database, "--json"), code: 0)
        return run.output.split(separator: "\n").filter { $0.contains("restore_point") }.compactMap
        {
            $0.text(of: "time")
        }.reversed()
    }

    func rows(_ target: String) throws -> String {
        try rows(of: "\(fixture.root)/\(target)\(database)")
    }

    func rows(of path: String) throws -> String {
        try fixture.shell("sqlite3 '\(path)' 'SELECT count(*) FROM t'")
            .split(separator: "\n").joined()
    }
}

extension Substring {
    /// The text that a JSON line gives a key first.
    fileprivate func text(of key: String) -> String? {
        guard let start = end(of: "\"\(key)\":\"") else { return nil }
        return String(self[start...].prefix { $0 != "\"" })
    }
}

@Suite struct MomentTests {
    @Test func aMomentBringsDatabasesAndFilesBackAndSaysWhichCommitThatIs() throws {
        let scene = try MomentScene()
        let fixture = scene.fixture
        let moments = try scene.moments()
        try #require(moments.count == 4)
        let run = try expect(
            fixture.run("restore", "--at", moments[2], "-t", fixture.root + "/at", "--verify"),
            code: 0)
        #expect(try scene.rows("at") == "3")
        #expect(run.output.contains("given 1/3 of "))
        #expect(run.output.contains("the next commit is 1/4 of "))
        #expect(run.output.contains("files are those of snapshot "))
        let json = try expect(
            fixture.run(
                "restore", "--at", moments[1], "-t", fixture.root + "/json", "--json", "--database",
                scene.database), code: 0)
        let summary = try #require(json.output.split(separator: "\n").last)
        #expect(summary.contains("\"given\":{\"position\":\"1/2\""))
        #expect(summary.contains("\"next\":{\"position\":\"1/3\""))
        #expect(try scene.rows("json") == "2")
        #expect(try fixture.shell("ls json\(fixture.source)") == "d\n")
    }

    @Test func aMomentInDoubtRestoresNothingAndNamesBothNeighbours() throws {
        let scene = try MomentScene()
        let fixture = scene.fixture
        let moments = try scene.moments()
        let between = try fixture.lines(
            "date -d \"$(date -d '\(moments[1])' '+%F %T.%N %z') + 0.5 seconds\" '+%FT%T.%N%:z'")[0]
        let doubt = try expect(
            fixture.run("restore", "--at", between, "-t", fixture.target), code: 1)
        #expect(doubt.output.contains("before: 1/2 of "))
        #expect(doubt.output.contains("after:  1/3 of "))
        #expect(doubt.errors.contains("nothing was restored"))
        #expect(doubt.errors.contains("--position 1/2 --database"))
        let future = try expect(
            fixture.run("restore", "--at", "2999-01-01T00:00:00Z", "-t", fixture.target), code: 1)
        #expect(future.output.contains("yet to come"))
        #expect(future.output.contains("before: 1/4 of "))
        let past = try expect(
            fixture.run(
                "restore", "--at", "-1h", "-t", fixture.target, "--database", scene.database),
            code: 1)
        #expect(past.output.contains("nothing was recorded yet"))
        #expect(past.output.contains("after:  1/1 of "))
        #expect(try fixture.shell("ls; ls target 2>/dev/null || true").contains("target") == false)
    }

    @Test func whereOneOfSeveralDatabasesIsInDoubtTheHintNamesWaysThatWork() throws {
        let fixture = try HoldfastFixture()
        let (new, old) = (fixture.source + "/new.db", fixture.source + "/old.db")
        for (paths, row) in [([new, old], 1), ([new], 2)] {
            try fixture.shell(
                "for d in \(paths.joined(separator: " ")); do sqlite3 $d"
                    + " 'CREATE TABLE IF NOT EXISTS t (a)' 'INSERT INTO t VALUES (\(row))'; done")
            try expect(fixture.start(["backup"] + paths).finish(), code: 0)
        }
        let history = try expect(fixture.run("history", new, "--json"), code: 0)
        let newest = history.output.split(separator: "\n").first { $0.contains("restore_point") }
        let moment = try #require(newest?.text(of: "time"))
        let doubt = try expect(
            fixture.run("restore", "--at", moment, "-t", fixture.target), code: 1)
        #expect(doubt.errors.contains("restore what is certain with --exclude \(old), and"))
        #expect(doubt.errors.contains("--position 1/1 --database \(old)"))
        try expect(
            fixture.run("restore", "--at", moment, "-t", fixture.target, "--exclude", old), code: 0)
        #expect(try fixture.lines("ls target\(fixture.source)") == ["new.db"])
        let named = try expect(
            fixture.run(
                "restore", "--at", moment, "-t", fixture.target, "--database", new, "--database",
                old), code: 1)
        #expect(named.errors.contains("restore what is certain with --database \(new), and"))
        let none = try expect(
            fixture.run(
                "restore", "--at", moment, "-t", fixture.target, "--exclude", "*.db", "--database",
                new), code: 1)
        #expect(none.errors.contains("the patterns leave out"))
    }

    @Test func aPositionReplacesADatabaseInPlaceAndTheOldEpochStaysReadable() throws {
        let scene = try MomentScene()
        let fixture = scene.fixture
        let run = try expect(
            fixture.run("restore", "--position", "1/2", "-t", "/", "--database", scene.database),
            code: 0)
        #expect(run.output.contains("given 1/2 of "))
        #expect(try scene.rows(of: scene.database) == "2")
        try expect(fixture.run("backup", fixture.source), code: 0)
        try expect(
            fixture.run("restore", "--position", "1/4", "-t", fixture.root + "/late"), code: 0)
        #expect(try scene.rows("late") == "4")
    }

    @Test func aBackupThatFoundTheSameStateVouchesForItUpToWhenItBegan() throws {
        let fixture = try HoldfastFixture()
        let database = fixture.source + "/a.db"
        try fixture.shell("sqlite3 source/a.db 'CREATE TABLE t (a)'")
        func moment() throws -> String { try fixture.lines("date -u +%Y-%m-%dT%H:%M:%S.%NZ")[0] }
        try expect(fixture.run("backup", database), code: 0)
        let between = try moment()
        try expect(fixture.run("backup", database), code: 0)
        let behind = try moment()
        for (at, code) in [(between, Int32(0)), (behind, 1)] {
            try expect(fixture.run("restore", "--at", at, "-t", fixture.target), code: code)
        }
    }

    @Test func behindADeadWatchNothingIsCertainAndTheNewestPositionIsNamed() throws {
        let scene = try WatchScene()
        let fixture = scene.fixture
        try scene.write(3)
        try scene.startWatch(seal: "200ms")
        try scene.awaitWatch()
        let count = try scene.write(4)
        try scene.awaitSealed()
        _ = try scene.stopWatch()
        try scene.write(1)
        usleep(50_000)
        let last = try #require(try scene.positions().last)
        let name = "\(last.epoch)/\(last.sequence)"
        for goal in [["--json"], ["--database", scene.database]] {
            let run = try expect(
                fixture.start(["restore", "--at", "-0s", "-t", fixture.target] + goal).finish(),
                code: 1)
            #expect(run.errors.contains("--position \(name) --database \(scene.database)"))
            #expect(goal != ["--json"] || run.output.contains("\"reason\":\"after_history\""))
        }
        #expect(try scene.counter(at: last) == count)
    }

    @Test func whatAWatchHasOnlyInItsJournalCountsForAMomentAndIsInTheHistory() throws {
        let scene = try WatchScene()
        let fixture = scene.fixture
        try scene.write(3)
        try scene.startWatch(seal: "1h")
        try scene.awaitWatch()
        let count = try scene.write(4, pause: 0.05)
        usleep(200_000)
        let run = try expect(
            fixture.run("restore", "--at", "-0s", "-t", fixture.target, "--json"), code: 0)
        #expect(run.output.contains("\"certain\":true"))
        let rows = try fixture.lines("sqlite3 target\(scene.database) 'SELECT n FROM counter'")
        #expect(rows == ["\(count)"])
        let later = try scene.write(2)
        let end = try #require(try scene.positions().last)
        #expect(try scene.counter(at: end) == later)
        try scene.kill(SIGKILL)
        let dead = try expect(fixture.run("history", scene.database), code: 0)
        #expect(dead.output.contains("may be missing here: watch on"), "\(dead)")
    }

    @Test func historyShowsPositionsTimesAndAPicture() throws {
        let scene = try MomentScene()
        let fixture = scene.fixture
        let overview = try expect(fixture.run("history"), code: 0)
        #expect(overview.output.contains(scene.database))
        let history = try expect(fixture.run("history", scene.database), code: 0)
        for text in ["4 commits", "█", "B base, ~ gap", "1/4", "compared", "not before"] {
            #expect(history.output.contains(text), "\(text)")
        }
        let moments = try scene.moments()
        let part = try expect(
            fixture.run(
                "history", scene.database, "--from", moments[1], "--to", moments[2], "--json"),
            code: 0)
        #expect(part.output.split(separator: "\n").count == 3)
        let limited = try expect(
            fixture.run("history", scene.database, "--limit", "1"), code: 0)
        #expect(limited.output.contains("1/4 "))
        #expect(!limited.output.contains("1/3 "))
        #expect(limited.output.contains("--limit 0 shows all"))
        let epochs = try expect(fixture.run("history", "--epochs", scene.database), code: 0)
        #expect(epochs.output.contains("1/4"))
    }

    @Test func whatNobodyCanMeanIsRefused() throws {
        let scene = try MomentScene()
        let fixture = scene.fixture
        let target = fixture.target
        for (words, code, hint) in [
            (["restore", "--position", "x", "-t", target], Int32(2), "EPOCH/SEQUENCE"),
            (["restore", "--position", "1/9", "-t", target], 1, "reaches from 1/1 to 1/4"),
            (["restore", "latest", "--at", "-1m", "-t", target], 2, "leave SNAPSHOT out"),
            (["restore", "--database", "/x", "-t", target], 2, "--at or --position only"),
            (["restore", "--at", "-1m", "--position", "1/1", "-t", target], 2, "exclude"),
            (["restore", "--at", "-1m", "--database", "/x.db", "-t", target], 1, "history"),
            (
                ["restore", "--position", "1/1", "--branch", "7", "-t", target], 1,
                "its branches are 1"
            ),
            (["history", "/x.db"], 1, "no history is recorded"),
        ] {
            let run = try expect(fixture.start(words).finish(), code: code)
            #expect(run.errors.contains(hint), "\(words): \(run)")
        }
    }

    /// Recorded while Berlin's clocks were set back from 03:00 to 02:00.
    @Test(.enabled(if: access("/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1", R_OK) == 0))
    func aTimeThatTheClocksShowedTwiceIsAnsweredByBothPositions() throws {
        let fixture = try HoldfastFixture()
        let library = "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1"
        func faked(_ moment: String, _ zone: String) -> [String: String?] {
            [
                "LD_PRELOAD": library, "FAKETIME": "@\(moment)", "TZ": zone,
                "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            ]
        }
        for moment in ["00:20:00", "01:20:00", "03:00:00"] {
            try fixture.shell(
                "sqlite3 source/a.db 'CREATE TABLE IF NOT EXISTS t (a)' 'INSERT INTO t VALUES (1)'")
            let setting = faked("2026-10-25 \(moment)", "UTC")
            try expect(fixture.run("backup", fixture.source, setting: setting), code: 0)
        }
        let run = try expect(
            fixture.run(
                "restore", "--at", "2026-10-25 02:30:00", "-t", fixture.target, "--database",
                fixture.source + "/a.db", setting: faked("2026-10-26 12:00:00", "Europe/Berlin")),
            code: 1)
        #expect(run.output.contains("1/1 of 2026-10-25 02:20:0"), "\(run)")
        #expect(run.output.contains("1/2 of 2026-10-25 02:20:0"), "\(run)")
    }
}
