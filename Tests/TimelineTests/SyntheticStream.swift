import Codec
import Platform
import Repository
import Simulation
import Testing

@testable import Timeline

/// A stream of records without pages, seen at chosen moments.
final class SyntheticStream {
    let repository: Repository
    let place = MemoryPlace()
    let identity = StreamIdentity(
        stream: [UInt8](repeating: 7, count: 16), host: "alpha", path: Array("/srv/a.db".utf8))
    private let scratch = ScratchFolder()
    /// The records that were made, by position; of two with one position the last.
    private(set) var chains: [Position: Digest] = [:]
    private var draft: [Record] = []
    private var last: (position: Position, chain: Digest)?

    init(seed: UInt64 = 1) throws {
        let world = World.simulated(SeededRandomness(seed: seed))
        try TestRepository.make(at: place, world: world)
        repository = try TestRepository.open(place, cache: scratch.path, world: world)
    }

    static func time(_ seconds: Double) -> Timestamp {
        Timestamp(seconds: 1_000_000, nanoseconds: 0).adding(nanoseconds: Int64(seconds * 1e9))
    }

    /// Adds a record behind the last one, or behind another.
    ///
    /// - Parameters:
    ///   - seen: seconds by the wall clock; `boot` by the other, the same where not said.
    ///   - notBefore: makes the record one that was found by comparing, where nothing else is said.
    @discardableResult
    func add(
        _ kind: Record.Kind, _ position: String, seen: Double, boot: Double? = nil,
        bootID: UInt8 = 1, notBefore: Double? = nil, isCompared: Bool? = nil, after: String? = nil,
        cause: Record.Cause = .none
    ) throws -> Position {
        let position = try Self.position(position)
        let previous =
            try after.map { text in
                let position = try Self.position(text)
                return (position: position, chain: try #require(chains[position]))
            } ?? last
        var record = Record(
            kind: kind, position: position,
            seen: Record.Moment(
                wall: Self.time(seen), boot: UInt64((boot ?? seen) * 1e9),
                bootID: [UInt8](repeating: bootID, count: 16)),
            notBefore: Self.time(notBefore ?? seen), database: 0, pageSize: 4096, pageCount: 0,
            stateRoot: .zero, previous: previous?.chain ?? .zero,
            tableHash: TableHasher().finish())
        record.isCompared = isCompared ?? (notBefore != nil && kind != .gap)
        record.cause = cause
        if kind == .epoch, let previous { record.start = previous.position }
        draft.append(record)
        chains[position] = record.chain
        last = (position, record.chain)
        return position
    }

    static func position(_ text: String) throws -> Position {
        let parts = text.split(separator: "/").compactMap { UInt64($0) }
        try #require(parts.count == 2)
        return Position(epoch: parts[0], sequence: parts[1])
    }

    /// Makes a segment of the records that were added since the last one.
    @discardableResult
    func seal(keepingDraft: Bool = false) throws -> ObjectName {
        let lease = try HeldLease(on: place, purpose: "test", world: repository.world)
        try repository.refresh()
        let writer = try SegmentWriter(of: identity, in: repository, under: lease)
        for record in draft { try writer.append(record.encoded, kind: .record) }
        let segment = try writer.finish()
        try segment.publish(in: repository, under: lease)
        try lease.end()
        if !keepingDraft { draft = [] }
        return segment.pack.name
    }

    func stream() throws -> Timeline.Stream {
        try #require(try StreamIndex(of: repository).streams[identity.stream])
    }

    /// What the history answers to a moment, in short.
    func answer(
        _ seconds: Double, now: Double = 100_000, knownUntil: Double? = nil, branch: String? = nil
    ) throws -> String {
        var history = try History(of: stream())
        if let branch {
            let found = try #require(history.branches.first { $0.name == branch })
            history = try History(of: stream(), branch: found, among: history.branches)
        }
        let search = MomentSearch(
            in: history, now: Self.time(now), knownUntil: knownUntil.map(Self.time))
        switch try search.find(Self.time(seconds)) {
        case .point(let point):
            return "\(point.record.position) then \(point.next.map { "\($0.position)" } ?? "none")"
        case .between(let before, let after, let doubt):
            let sides = [before, after].map { $0.map { "\($0.position)" } ?? "none" }
            return "\(doubt) \(sides[0]) \(sides[1])"
        case .several(let points):
            return "several " + points.map { "\($0.record.position)" }.joined(separator: " ")
        }
    }
}
