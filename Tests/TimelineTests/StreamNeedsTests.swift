import Codec
import Repository
import Simulation
import Testing

@testable import Timeline

/// What retention keeps of a stream.
@Suite struct StreamNeedsTests {
    /// Two bases in four segments, a record each ten seconds.
    private func sealed(_ synthetic: SyntheticStream) throws -> [ObjectName] {
        try synthetic.add(.base, "1/1", seen: 0)
        try synthetic.add(.commit, "1/2", seen: 10)
        let first = try synthetic.seal()
        try synthetic.add(.commit, "1/3", seen: 20)
        let second = try synthetic.seal()
        try synthetic.add(.base, "1/4", seen: 30)
        try synthetic.add(.commit, "1/5", seen: 40)
        let third = try synthetic.seal()
        try synthetic.add(.commit, "1/6", seen: 50)
        return [first, second, third, try synthetic.seal()]
    }

    private func needs(
        _ synthetic: SyntheticStream, window seconds: Int64, naming positions: [String] = [],
        now: Double? = nil
    ) throws -> StreamNeeds {
        let references = try positions.map { text in
            let position = try SyntheticStream.position(text)
            return DatabaseReference(
                stream: synthetic.identity.stream, position: position,
                chain: try #require(synthetic.chains[position]), fingerprint: [])
        }
        return try StreamNeeds(
            in: synthetic.repository, references: references,
            window: HistoryWindow(seconds * 1_000_000_000),
            now: now.map(SyntheticStream.time))
    }

    private struct Case: Sendable {
        let window: Int64
        let naming: [String]
        /// Which of the segments nothing needs.
        let unneeded: [Int]
    }

    private static let cases = [
        Case(window: 0, naming: [], unneeded: [0, 1]),
        Case(window: 15, naming: [], unneeded: [0, 1]),
        Case(window: 20, naming: [], unneeded: [0, 1]),
        // The state in which the window begins is needed too.
        Case(window: 25, naming: [], unneeded: []),
        Case(window: 0, naming: ["1/2"], unneeded: [1]),
        Case(window: 0, naming: ["1/3"], unneeded: []),
    ]

    @Test(arguments: cases)
    private func theWindowAndNamedStatesAreKeptWithTheirWayBackToABase(
        _ test: Case
    ) throws {
        let synthetic = try SyntheticStream()
        let segments = try sealed(synthetic)
        let needs = try needs(synthetic, window: test.window, naming: test.naming)
        #expect(needs.unneeded == Set(test.unneeded.map { segments[$0] }))
        #expect(needs.segments == Set(segments).subtracting(needs.unneeded))
    }

    @Test func theWindowCountsBackFromTheNewestRecordHoweverOldThatIs() throws {
        let synthetic = try SyntheticStream()
        let segments = try sealed(synthetic)
        let needs = try needs(synthetic, window: 15, now: 50 * 365 * 86_400)
        #expect(needs.segments == Set(segments[2...]))
    }

    @Test func aTailThatWasLeftBehindStaysInsideTheWindow() throws {
        let synthetic = try SyntheticStream()
        _ = try sealed(synthetic)
        try synthetic.add(.epoch, "2/6", seen: 55, after: "1/5", cause: .wentBack)
        try synthetic.add(.base, "2/7", seen: 60)
        let fork = try synthetic.seal()
        let tail = try #require(
            try synthetic.place.list(.segments).map(\.name).first { $0 != fork })
        #expect(try needs(synthetic, window: 15).segments.count == 3)
        #expect(try needs(synthetic, window: 0).segments.contains(fork))
        #expect(try needs(synthetic, window: 100).segments.contains(tail))
    }

    @Test func aClockThatJumpedAheadStopsTheRunUnlessTimesAreTrusted() throws {
        let synthetic = try SyntheticStream()
        let segments = try sealed(synthetic)
        try synthetic.add(.commit, "1/7", seen: 400 * 86_400, boot: 60)
        try synthetic.add(.base, "1/8", seen: 400 * 86_400 + 10, boot: 70)
        let last = try synthetic.seal()
        #expect(throws: RepositoryError.self) {
            try needs(synthetic, window: 86_400, now: 401 * 86_400)
        }
        // Trusted, the window begins at the jump; what leads to its first record stays.
        let trusted = try needs(synthetic, window: 0)
        #expect(trusted.segments == [last] && trusted.unneeded == Set(segments))
    }

    @Test func whatIsNeededOfAMarkedSegmentIsFoundAndACopyOfItCountsInstead() throws {
        let synthetic = try SyntheticStream()
        try synthetic.add(.base, "1/1", seen: 0)
        let marked = try synthetic.seal(keepingDraft: true)
        let mark = ControlFile(kind: "mark", fields: [])
        try synthetic.place.create(ObjectName(.marks, marked.name), mark.encoded)
        #expect(try needs(synthetic, window: 0).segments == [marked])
        let copy = try synthetic.seal()
        #expect(try needs(synthetic, window: 0).segments == [copy])
    }
}
