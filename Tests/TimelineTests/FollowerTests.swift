import Simulation
import Testing

@testable import Timeline

/// Commits captured from the log of a database that others write, checkpoint and vacuum.
@Suite struct FollowerTests {
    private static let rounds = TestShare.count(share: 450, whole: 40_000)

    @Test(arguments: [512, 4096, 65536])
    func everyCommitOfABusyWriterIsCaptured(pageSize: Int) throws {
        let scene = try FollowerScene(pageSize: pageSize)
        try scene.run(rounds: Self.rounds, checkpoints: [])
        #expect(scene.commits >= Self.rounds)
        try scene.expectSameContent()
    }

    @Test func noCheckpointOfOthersLosesACommit() throws {
        let scene = try FollowerScene(pageSize: 4096)
        try scene.run(
            rounds: Self.rounds, checkpoints: ["PASSIVE", "FULL", "RESTART", "TRUNCATE"])
        try scene.expectSameContent()
    }

    @Test func aVacuumIsOneCommitLikeOthers() throws {
        let scene = try FollowerScene(pageSize: 1024)
        try scene.run(rounds: Self.rounds, checkpoints: ["PASSIVE", "RESTART"], vacuums: true)
        try scene.expectSameContent()
    }

    @Test func theLogIsKeptSmallUnderABusyWriter() throws {
        let scene = try FollowerScene(pageSize: 4096)
        scene.logLimit = 1 << 20
        try scene.run(rounds: Self.rounds, checkpoints: [])
        #expect(scene.shrinks > 0)
        #expect(scene.resets > 0)
        try scene.expectSameContent()
    }

    @Test func whatCannotBeKeptIsHandedOnAgain() throws {
        let scene = try FollowerScene(pageSize: 4096)
        scene.failsToKeepEach = 3
        try scene.run(rounds: Self.rounds, checkpoints: ["PASSIVE", "TRUNCATE"])
        #expect(scene.failures > 0)
        try scene.expectSameContent()
    }
}
