import Glibc
import Platform
import Testing

/// Restores over the database that is recorded: each begins an epoch, with or without a watch.
@Suite struct RestoreEpochTests {
    private static func name(_ position: (epoch: Int, sequence: Int)) -> String {
        "\(position.epoch)/\(position.sequence)"
    }

    private static func putBack(
        _ position: (epoch: Int, sequence: Int), _ scene: WatchScene, code: Int32 = 0
    ) throws -> RunResult {
        expect(
            try scene.fixture.run(
                "restore", "--position", name(position), "--database", scene.database,
                "--target", "/", "--json"),
            code: code)
    }

    private static func epochs(_ scene: WatchScene) throws -> [Substring] {
        expect(try scene.fixture.run("history", "--json", "--epochs", scene.database), code: 0)
            .output.split(separator: "\n").filter { $0.contains("\"cause\":\"restored\"") }
    }

    private static func gaps(_ scene: WatchScene) throws -> Int {
        expect(
            try scene.fixture.run("history", "--json", "--limit", "0", scene.database), code: 0
        ).output.split(separator: "\n").count { $0.contains("\"kind\":\"gap\"") }
    }

    @Test func overAWatchedDatabaseTheEpochBeginsWithExactlyTheCommitThatPutsTheStateBack() throws {
        let scene = try WatchScene()
        try scene.write(3)
        try scene.startWatch(seal: "200ms")
        try scene.awaitWatch()
        try scene.write(20)
        try scene.awaitSealed()
        let past = try scene.positions()
        let wanted = try #require(past.dropLast(8).last)
        let counter = try scene.counter(at: wanted)
        let writer = try scene.startWriting(400, pause: 0.002)
        usleep(150_000)
        let run = try Self.putBack(wanted, scene)
        #expect(run.output.contains("\"restored_epoch\""))
        _ = try writer.wait()
        _ = try scene.stopWatch()
        let positions = try scene.positions()
        let (old, new) = (positions.filter { $0.epoch == 1 }, positions.filter { $0.epoch == 2 })
        let begin = try #require(new.first)
        #expect(begin.sequence == wanted.sequence + 1)
        #expect(try scene.counter(at: begin) == counter)
        // The commit behind it has the page with the schema cookie; then each counts one up.
        let last = try #require(new.last)
        #expect(try scene.counter(at: last) == counter + last.sequence - begin.sequence - 1)
        let tail = try #require(old.last)
        let offset = try scene.counter(at: past[0]) - past[0].sequence
        #expect(tail.sequence >= past.count && last.sequence > begin.sequence + 1)
        #expect(try scene.counter(at: tail) == tail.sequence + offset)
        #expect(try Self.epochs(scene).count == 1)
        #expect(try Self.gaps(scene) == 0)
        expect(try scene.fixture.run("verify", "--read-data"), code: 0)
    }

    @Test func theOldEpochAnswersUntilTheMomentTheNewOneBegan() throws {
        let scene = try WatchScene()
        try scene.write(3)
        try scene.startWatch(seal: "200ms")
        try scene.awaitWatch()
        let before = try scene.write(10)
        try scene.awaitSealed()
        let wanted = try #require(try scene.positions().dropLast(5).last)
        usleep(100_000)
        let moment = try scene.fixture.lines("date -u +%Y-%m-%dT%H:%M:%S.%NZ")[0]
        usleep(100_000)
        _ = try Self.putBack(wanted, scene)
        let after = try scene.write(1)
        #expect(after == before - 4)
        for (at, counter) in [(moment, before), ("-0s", after)] {
            try scene.fixture.shell("rm -rf at")
            expect(
                try scene.fixture.run(
                    "restore", "--at", at, "--database", scene.database, "-t",
                    scene.fixture.root + "/at"), code: 0)
            let found = try scene.fixture.lines(
                "find at -name live.db | xargs -I{} sqlite3 {} 'select n from counter'")
            #expect(found == ["\(counter)"], "at \(at)")
        }
        _ = try scene.stopWatch()
    }

    @Test(arguments: ["wal", "delete"])
    func withoutAWatchTheRestoreItselfBeginsTheEpochAndBackupsGoOnInIt(_ mode: String) throws {
        let scene = try WatchScene()
        var counters: [Int] = []
        for _ in 1...3 {
            counters.append(try scene.write(2, mode: mode))
            expect(try scene.fixture.run("backup", scene.database), code: 0)
        }
        let past = try scene.positions()
        _ = try Self.putBack(past[0], scene)
        #expect(try scene.sql("select n from counter") == ["\(counters[0])"])
        try scene.write(1, mode: mode)
        expect(try scene.fixture.run("backup", scene.database), code: 0)
        let positions = try scene.positions()
        let last = try #require(positions.last { $0.epoch == 2 })
        #expect(last.sequence == past[0].sequence + 2)
        #expect(try scene.counter(at: last) == counters[0] + 1)
        for (position, counter) in zip(past, counters) {
            #expect(try scene.counter(at: position) == counter)
        }
        #expect(try Self.epochs(scene).count == 1)
    }

    @Test func aDatabaseThatWasLostBeginsAnEpochWhenASnapshotBringsItBack() throws {
        let scene = try WatchScene()
        let count = try scene.write(5)
        try scene.startWatch(seal: "200ms")
        try scene.awaitWatch()
        expect(try scene.fixture.run("backup", scene.database), code: 0)
        try scene.write(5)
        try scene.fixture.shell("rm live.db live.db-wal live.db-shm")
        try scene.awaitWords("the file is gone")
        expect(try scene.fixture.run("restore", "latest", "--target", "/"), code: 0)
        #expect(try scene.write(1) == count + 1)
        _ = try scene.stopWatch()
        #expect(try Self.epochs(scene).count == 1)
        let last = try #require(try scene.positions().last { $0.epoch == 2 })
        #expect(try scene.counter(at: last) == count + 1)
    }

    @Test func aWatchThatDiesWhileADatabaseIsPutBackLeavesTheEpochToTheRestore() throws {
        let scene = try WatchScene()
        try scene.write(10)
        try scene.startWatch(seal: "200ms")
        try scene.awaitWatch()
        try scene.write(10)
        try scene.awaitSealed()
        let wanted = try #require(try scene.positions().dropLast(5).last)
        // Holds the restore up while it writes over the database.
        let blocker = try Subprocess(
            [
                "python3", "-c",
                """
                import sqlite3, sys, time
                c = sqlite3.connect(sys.argv[1], isolation_level=None)
                c.execute('begin immediate'); time.sleep(2)
                """, scene.database,
            ], output: .null)
        usleep(500_000)
        let restore = try scene.fixture.start([
            "restore", "--position", Self.name(wanted), "--database", scene.database, "-t", "/",
        ])
        usleep(700_000)
        try scene.kill(SIGKILL)
        _ = try blocker.wait()
        expect(try restore.finish(), code: 0)
        #expect(try Self.epochs(scene).count == 1)
    }

    /// In a network of its own a watch cannot be asked, as on another host.
    @Test(.enabled(if: geteuid() == 0))
    func whereTheWatchCannotBeAskedTheRestoreIsRefusedWithTheHoldersName() throws {
        let scene = try WatchScene()
        let count = try scene.write(5)
        let watch = try scene.fixture.start(
            ["watch", scene.database, "--data", scene.fixture.root + "/data", "--seal", "200ms"],
            through: ["unshare", "-n"])
        try scene.awaitWatch()
        let position = try #require(try scene.positions().first)
        let run = try Self.putBack(position, scene, code: 1)
        #expect(run.errors.contains("is held by watch on"))
        #expect(run.number("databases_restored") == 0 && !run.output.contains("given"))
        #expect(try scene.sql("select n from counter") == ["\(count)"])
        watch.process.kill(SIGTERM)
        expect(try watch.finish(), code: 0)
        // A copy elsewhere is nobody's business.
        expect(
            try scene.fixture.run(
                "restore", "--position", Self.name(position), "--database", scene.database, "-t",
                scene.fixture.target), code: 0)
        #expect(try Self.epochs(scene).isEmpty)
    }
}
