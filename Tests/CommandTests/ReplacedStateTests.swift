import Glibc
import Platform
import Testing

/// Restores over a recorded database of which not everything was recorded yet.
@Suite struct ReplacedStateTests {
    private static func restore(
        _ scene: WatchScene, _ words: String..., code: Int32 = 0
    ) throws -> RunResult {
        expect(try scene.fixture.start(["restore", "-t", "/"] + words).finish(), code: code)
    }

    private static func putBackFirst(_ scene: WatchScene, code: Int32 = 0) throws -> RunResult {
        try restore(scene, "-v", "--position", "1/1", "--database", scene.database, code: code)
    }

    @Test(arguments: ["wal", "delete"])
    func whatNobodyHasRecordedYetIsRecordedBeforeItIsReplaced(_ mode: String) throws {
        let scene = try WatchScene()
        let first = try scene.write(2, mode: mode)
        expect(try scene.fixture.run("backup", scene.database), code: 0)
        let second = try scene.write(3, mode: mode)
        let run = try Self.putBackFirst(scene)
        #expect(run.output.contains("goes on in epoch 2; what was there before is 1/2"))
        #expect(try scene.sql("select n from counter") == ["\(first)"])
        #expect(try scene.counter(at: (1, 2)) == second)
        // The same by a snapshot, and in the new epoch.
        let third = try scene.write(1, mode: mode)
        let again = try Self.restore(scene, "latest", "--json")
        #expect(again.output.contains("\"before\":\"2/3\""), "\(again)")
        #expect(try scene.counter(at: (2, 3)) == third)
        expect(try scene.fixture.run("verify", "--read-data"), code: 0)
    }

    @Test func underAWriterThatNeverPausesNoCommitIsLost() throws {
        let scene = try WatchScene()
        let first = try scene.write(2)
        expect(try scene.fixture.run("backup", scene.database), code: 0)
        let commits = 600
        let writer = try scene.startWriting(commits, pause: 0.001)
        usleep(300_000)
        _ = try Self.putBackFirst(scene)
        _ = try writer.wait()
        let last = try #require(Int(scene.sql("select n from counter").first ?? ""))
        let former = try #require(try scene.positions().last { $0.epoch == 1 })
        #expect(former.sequence > 1)
        let replaced = try scene.counter(at: former)
        #expect((replaced - first) + (last - first) == commits)
    }

    @Test func aDatabaseThatIsDamagedIsRestoredAllTheSame() throws {
        let scene = try WatchScene()
        let first = try scene.write(40)
        expect(try scene.fixture.run("backup", scene.database), code: 0)
        try scene.fixture.shell("truncate -s 8192 live.db")
        _ = try Self.putBackFirst(scene)
        #expect(try scene.sql("select n from counter") == ["\(first)"])
        try scene.fixture.shell("echo no database at all >live.db")
        _ = try Self.putBackFirst(scene)
        #expect(try scene.sql("select n from counter") == ["\(first)"])
    }

    @Test func whatADeadWatchHadInItsJournalComesToLightAsABranch() throws {
        let scene = try WatchScene()
        try scene.write(2)
        try scene.startWatch(seal: "1h")
        try scene.awaitWatch()
        let journalled = try scene.write(4, pause: 0.05)
        usleep(300_000)
        try scene.kill(SIGKILL)
        let later = try scene.write(1)
        let run = try Self.putBackFirst(scene)
        #expect(run.output.contains("what was there before is 1/2"))
        #expect(run.output.contains("becomes a branch"))
        #expect(try scene.counter(at: (1, 2)) == later)
        try scene.startWatch(seal: "200ms")
        try scene.awaitWatch()
        try scene.awaitSealed()
        _ = try scene.stopWatch()
        let epochs = try scene.fixture.run("history", "--epochs", scene.database)
        #expect(expect(epochs, code: 0).output.contains("1-"))
        #expect(try scene.counter(at: (1, 5)) == journalled)
    }
}
