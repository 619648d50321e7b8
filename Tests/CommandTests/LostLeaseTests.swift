import Glibc
import Platform
import Testing

/// A watch that is stopped for so long that its lease is taken from it.
@Suite struct LostLeaseTests {
    /// A watch that has slept while others committed, and while `meanwhile` ran without its lease.
    private func slept(
        _ meanwhile: (WatchScene) throws -> Void = { _ in }
    ) throws -> (scene: WatchScene, first: Int) {
        let scene = try WatchScene()
        let first = try scene.write(3)
        try scene.startWatch(seal: "100ms")
        try scene.awaitWatch()
        try scene.write(10)
        try scene.kill(SIGSTOP)
        try scene.write(10)
        expect(try scene.fixture.run("unlock", "--remove-all"), code: 0)
        try meanwhile(scene)
        try scene.kill(SIGCONT)
        try scene.write(10)
        try scene.awaitWords("its lease was taken from it")
        return (scene, first)
    }

    @Test func itTakesAnotherLeaseAndMissesNothing() throws {
        let (scene, first) = try slept()
        let asked = try scene.write(1)
        // Asked under the new lease's name, it answers: the backup appends nothing.
        expect(try scene.fixture.run("backup", scene.database), code: 0)
        let last = try scene.write(5)
        _ = try scene.stopWatch()
        let positions = try scene.positions()
        #expect(positions.count == last - first + 1)
        let base = try #require(positions.first)
        for position in [positions[5], positions[15], positions[25]] {
            #expect(
                try scene.counter(at: position) == first + position.sequence - base.sequence)
        }
        expect(try scene.fixture.run("restore", "latest", "-t", scene.fixture.target), code: 0)
        let found = try scene.fixture.lines(
            "find target -name live.db | xargs -I{} sqlite3 {} 'select n from counter'")
        #expect(found == ["\(asked)"])
        #expect(try scene.fixture.lines("ls repository/leases") == [])
        expect(try scene.fixture.run("verify", "--read-data"), code: 0)
    }

    @Test func whatAnotherWriterAppendedMeanwhileStaysBesideIt() throws {
        var state = 0
        let (scene, first) = try slept { scene in
            state = try scene.write(1)
            expect(try scene.fixture.run("backup", scene.database), code: 0)
        }
        let last = try scene.write(5)
        _ = try scene.stopWatch()
        let positions = try scene.positions()
        #expect(positions.count == last - first + 1)
        #expect(try scene.counter(at: try #require(positions.last)) == last)
        expect(try scene.fixture.run("restore", "latest", "-t", scene.fixture.target), code: 0)
        let found = try scene.fixture.lines(
            "find target -name live.db | xargs -I{} sqlite3 {} 'select n from counter'")
        #expect(found == ["\(state)"])
        expect(try scene.fixture.run("verify", "--read-data"), code: 0)
    }
}
