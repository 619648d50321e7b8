import Glibc
import Platform
import Simulation
import Testing

/// The core proof: a writer at up to 1 000 commits a second, beside it others that checkpoint,
/// vacuum and read for long, and a watch that is killed at random moments. Afterwards random
/// positions and random times are restored, and each is the state after that very commit.
@Suite struct CoreProofTests {
    /// Targets that are proved at a time.
    private static let lot = 25

    @Test func eachPositionAndEachTimeIsTheStateAfterThatCommit() throws {
        let extent = CoreProofExtent.current
        let seed = SystemRandomness().bytes(8).reduce(0) { $0 << 8 | UInt64($1) }
        print("core proof: seed \(seed)")
        let core = try CoreProofScene(extent, seed: seed)
        try core.run()
        var judge = CoreProofJudge(try core.log(), try core.history())
        try proveRuns(&judge, core)
        judge.expectEveryCommit(outside: core.absences)
        judge.expectTimesThatHold()
        try provePositions(extent.samples, judge, core)
        try proveTimes(extent.samples, judge, core)
        print("core proof: \(judge.counts)")
    }

    /// Restores both ends of each run of records without a gap: what lies between is counted.
    private func proveRuns(_ judge: inout CoreProofJudge, _ core: CoreProofScene) throws {
        for run in judge.runs {
            let ends = [run.lowerBound, run.upperBound]
            let states = try restored(ends.map { judge.points[$0].position }, core)
            try #require(states.count == 2)
            judge.place(states[0], states[1], in: run)
        }
    }

    private func restored(_ positions: [String], _ core: CoreProofScene) throws -> [RestoredState] {
        try core.states(
            in: positions.map { position in
                let (run, target) = try core.restore("--position", position)
                try #require(run.code == 0, "\(position): \(run)")
                return target
            })
    }

    private func provePositions(
        _ count: Int, _ judge: CoreProofJudge, _ core: CoreProofScene
    ) throws {
        let solid = judge.points.indices.filter { judge.counters[$0] != nil }
        for start in stride(from: 0, to: count, by: Self.lot) {
            let some = (start..<min(count, start + Self.lot)).map { _ in
                solid[core.random.below(solid.count)]
            }
            let states = try restored(some.map { judge.points[$0].position }, core)
            try #require(states.count == some.count)
            for (index, state) in zip(some, states) { judge.expect(state, at: index) }
        }
    }

    private func proveTimes(
        _ count: Int, _ judge: CoreProofJudge, _ core: CoreProofScene
    ) throws {
        let first = try #require(judge.points.first).seen
        let last = try #require(judge.points.last).seen
        for start in stride(from: 0, to: count, by: Self.lot) {
            var given: [Int] = []
            var targets: [String] = []
            for _ in start..<min(count, start + Self.lot) {
                let moment = first + Int64(core.random.below(Int(last - first)))
                let (run, target) = try core.restore("--at", Self.text(moment))
                guard let index = judge.judge(run, at: moment) else { continue }
                given.append(index)
                targets.append(target)
            }
            let states = try core.states(in: targets)
            try #require(states.count == given.count)
            for (index, state) in zip(given, states) { judge.expect(state, at: index) }
        }
    }

    /// A moment as a person would write it.
    private static func text(_ moment: Int64) -> String {
        var seconds = time_t(moment / 1_000_000_000)
        var fields = tm()
        gmtime_r(&seconds, &fields)
        func padded(_ number: some BinaryInteger, _ digits: Int) -> String {
            let text = "\(number)"
            return String(repeating: "0", count: max(0, digits - text.utf8.count)) + text
        }
        let day = [fields.tm_year + 1900, fields.tm_mon + 1, fields.tm_mday]
        let clock = [fields.tm_hour, fields.tm_min, fields.tm_sec]
        return day.map { padded($0, 2) }.joined(separator: "-") + "T"
            + clock.map { padded($0, 2) }.joined(separator: ":") + "."
            + padded(moment % 1_000_000_000, 9) + "Z"
    }
}
