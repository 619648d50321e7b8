import Glibc
import Testing

/// What becomes of a watched database's history once its window has passed.
@Suite struct CompactionTests {
    /// Watches commits and names a state by a backup now and then; answers the named positions.
    private func record(_ scene: WatchScene) throws -> [(epoch: Int, sequence: Int)] {
        try scene.write(1)
        try scene.startWatch(seal: "100ms")
        try scene.awaitWatch()
        var named: [(epoch: Int, sequence: Int)] = []
        for _ in 0..<3 {
            try scene.write(40, pause: 0.003)
            expect(try scene.fixture.run("backup", scene.database), code: 0)
            named.append(try #require(try scene.positions().last))
        }
        _ = try scene.stopWatch()
        // What comes now, hours later, is the window.
        try scene.startWatch(seal: "100ms", setting: CompactionTests.later)
        try scene.awaitWatch()
        try scene.write(12, pause: 0.003)
        _ = try scene.stopWatch()
        return named
    }

    private static let clock = "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1"
    private static let later: [String: String?] = [
        "LD_PRELOAD": clock, "FAKETIME": "+3h", "DONT_FAKE_MONOTONIC": "1",
    ]

    private func segmentBytes(_ scene: WatchScene) throws -> Int {
        Int(try scene.fixture.lines("cat repository/segments/* | wc -c")[0]) ?? 0
    }

    @Test func pruneMergesWhatNobodyKeepsAndEveryKeptStateAndTheWindowComeBack() throws {
        guard access(CompactionTests.clock, R_OK) == 0 else { return }
        let scene = try WatchScene()
        let fixture = scene.fixture
        let named = try record(scene)
        let all = try scene.positions()
        let kept = named + [all[all.count - 12], all[all.count - 5], all[all.count - 1]]
        let before = try kept.map { try scene.counter(at: $0) }
        let bytes = try segmentBytes(scene)
        let dry = expect(
            try fixture.run("prune", "--keep-history", "1h", "--dry-run"), code: 0)
        #expect(dry.output.contains("would be merged away"), "\(dry)")
        #expect(try segmentBytes(scene) == bytes)
        let run = expect(
            try fixture.run("prune", "--keep-history", "1h", "--json"), code: 0)
        #expect((run.number("merged_states") ?? 0) > 80, "\(run)")
        #expect(try segmentBytes(scene) < bytes * 3 / 4)
        #expect(try kept.map { try scene.counter(at: $0) } == before)
        expect(try fixture.run("verify", "--read-data"), code: 0)
        try expectForgotten(all[20], between: all[0], named[0], in: scene)
        // A run that finds nothing more to do leaves all as it is.
        let left = try fixture.lines("ls repository/segments")
        let again = expect(try fixture.run("prune", "--keep-history", "1h", "--json"), code: 0)
        #expect(again.number("merged_states") == 0, "\(again)")
        #expect(try fixture.lines("ls repository/segments") == left)
        try expectRecordingGoesOn(scene)
    }

    /// A forgotten position is said to be gone, with the nearest ones on both sides.
    private func expectForgotten(
        _ position: (epoch: Int, sequence: Int), between first: (epoch: Int, sequence: Int),
        _ second: (epoch: Int, sequence: Int), in scene: WatchScene
    ) throws {
        let fixture = scene.fixture
        let name = "\(position.epoch)/\(position.sequence)"
        let refused = expect(
            try fixture.run(
                "restore", "--position", name, "--database", scene.database, "--target",
                fixture.root + "/gone"), code: 1)
        for text in [
            "\(name) was forgotten", "\(first.epoch)/\(first.sequence) of ",
            "\(second.epoch)/\(second.sequence) of ",
        ] {
            #expect((refused.output + refused.errors).contains(text), "\(refused)")
        }
        let line = try fixture.run("history", "--limit", "0", "--json", scene.database).output
            .split(separator: "\n").first { $0.contains("\"position\":\"\(name)\"") }
        #expect(line?.contains("\"restorable\":false") == true, "\(line ?? "none")")
        let table = try fixture.run("history", "--limit", "0", scene.database).output
        #expect(table.contains("no longer restorable"), "\(table)")
        #expect(try fixture.lines("ls gone 2>/dev/null | wc -l") == ["0"])
    }

    private func expectRecordingGoesOn(_ scene: WatchScene) throws {
        try scene.startWatch(seal: "100ms")
        try scene.awaitWatch()
        let last = try scene.write(3)
        _ = try scene.stopWatch()
        let end = try #require(try scene.positions().last)
        #expect(try scene.counter(at: end) == last)
    }
}
