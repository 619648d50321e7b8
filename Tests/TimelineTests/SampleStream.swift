import Codec
import Platform
import Repository
import Simulation

@testable import Timeline

/// Makes change sets that continue one another, of random pages.
struct SampleStream {
    static let identity = StreamIdentity(
        stream: [UInt8](repeating: 7, count: 16), host: "alpha", path: Array("/srv/app.db".utf8))

    private let random: SeededRandomness
    private(set) var end: JournalEnd

    init(
        seed: UInt64,
        after end: JournalEnd = JournalEnd(
            position: Position(epoch: 1, sequence: 0), chain: .zero)
    ) {
        random = SeededRandomness(seed: seed)
        self.end = end
    }

    /// The next commit, of up to so many pages.
    mutating func commit(pages: Int = 4, bodyBytes: Int = 300) -> ChangeSet {
        var entries: [PageTableEntry] = []
        var bodies: [UInt8] = []
        var page: UInt32 = 0
        for _ in 0..<(1 + random.below(pages)) {
            page += UInt32(1 + random.below(9))
            let codec: PageCodec = random.chance(1, in: 3) ? .stored : .dictionary
            let body =
                codec == .stored
                ? [UInt8](repeating: UInt8(random.below(256)), count: bodyBytes)
                : random.bytes(random.below(bodyBytes))
            entries.append(
                PageTableEntry(
                    page: page, hash: Hasher256.digest(body), codec: codec, length: body.count))
            bodies += body
        }
        return next(.commit, entries, bodies)
    }

    mutating func gap() -> ChangeSet { next(.gap, [], []) }

    /// A new epoch that begins at the record before the last one.
    mutating func epoch(at start: JournalEnd) -> ChangeSet {
        var record = draft(.epoch, [])
        record.position = Position(
            epoch: end.position.epoch + 1, sequence: start.position.sequence + 1)
        record.cause = .wentBack
        record.start = start.position
        record.previous = start.chain
        end = JournalEnd(of: record)
        return ChangeSet(record: record, entries: [], bodies: [])
    }

    private mutating func next(
        _ kind: Record.Kind, _ entries: [PageTableEntry], _ bodies: [UInt8]
    ) -> ChangeSet {
        let record = draft(kind, entries)
        end = JournalEnd(of: record)
        return ChangeSet(record: record, entries: entries, bodies: bodies)
    }

    private func draft(_ kind: Record.Kind, _ entries: [PageTableEntry]) -> Record {
        var record = Record(
            kind: kind,
            position: Position(epoch: end.position.epoch, sequence: end.position.sequence + 1),
            seen: Record.Moment(
                wall: Timestamp(seconds: 1_700_000_000, nanoseconds: 9), boot: 1 << 40,
                bootID: [UInt8](repeating: 4, count: 16)),
            notBefore: Timestamp(seconds: 1_700_000_000, nanoseconds: 1), database: 0,
            pageSize: 4096, pageCount: 70_000, stateRoot: Hasher256.digest([1]),
            previous: end.chain, tableHash: .zero)
        record.tableHash = entries.hash
        record.tableCount = UInt32(entries.count)
        return record
    }
}

extension Journal {
    static let samplePath = FilePath("/journal")

    /// A journal on a simulated disk, of small parts.
    static func sample(on disk: SimulatedDisk, partSize: UInt64 = 2500) throws -> Journal {
        try Journal(
            in: samplePath, of: SampleStream.identity, on: disk, partSize: partSize)
    }

    /// All change sets; closes the open part.
    func allChangeSets() throws -> [ChangeSet] {
        var found: [ChangeSet] = []
        for part in rotate() { try changeSets(in: part) { found.append($0) } }
        return found
    }
}
