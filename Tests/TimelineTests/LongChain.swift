import Codec
import Platform
import Repository
import SQLite
import Simulation

@testable import Timeline

/// A database that was recorded as a base, and very many small commits behind it.
final class LongChain {
    let repository: Repository
    private(set) var identity: StreamIdentity
    /// The database after the last commit.
    private(set) var bytes: [UInt8]
    private(set) var end: Record
    /// A hash of the database after each commit, by sequence number, once that is asked for.
    private(set) var states: [UInt64: Digest] = [:]
    /// The commits, by sequence number, as snapshots would name them.
    private(set) var references: [UInt64: DatabaseReference] = [:]
    var remembersStates = false
    /// Makes commits claim another state root than they have.
    var spoilsRoots = false
    private let random: SeededRandomness
    private let tools: Tools
    private let geometry: PageGeometry
    private var root: StateRoot
    private var leaning: [UInt32: Int] = [:]
    private let scratch = CaptureScratch()
    private let cache = ScratchFolder()

    init(seed: UInt64, pageSize: Int = 1024, rows: Int, at place: any Place = MemoryPlace()) throws
    {
        random = SeededRandomness(seed: seed)
        let world = World.simulated(SeededRandomness(seed: seed))
        try TestRepository.make(at: place, world: world)
        repository = try TestRepository.open(place, cache: cache.path, world: world)
        tools = Tools(repository, level: .fast)
        geometry = PageGeometry(pageSize: pageSize)
        let database = try scratch.makeDatabase(
            "a.db", pageSize: pageSize, mode: "delete", rows: rows)
        try database.close()
        bytes = try scratch.contents("a.db")
        let captured = try repository.record(scratch.file("a.db"), scratch: cache.path).database
        let index = try StreamIndex(of: repository)
        guard let stream = index.streams[captured.reference.stream], let base = stream.end else {
            throw FormatError("nothing was recorded")
        }
        identity = stream.identity
        end = base.record
        root = StateRoot(end.stateRoot)
    }

    /// Commits so often, each time up to so many pages, so many commits a segment.
    func commit(_ count: Int, pages: Int = 3, perSegment: Int = 500) throws {
        let lease = try HeldLease(on: repository.place, purpose: "test", world: repository.world)
        try repository.refresh()
        for start in stride(from: 0, to: count, by: perSegment) {
            let writer = try SegmentWriter(of: identity, in: repository, under: lease)
            for _ in start..<min(count, start + perSegment) { try commit(pages, into: writer) }
            try writer.finish().publish(in: repository, under: lease)
        }
        try lease.end()
    }

    private func commit(_ pages: Int, into segment: SegmentWriter) throws {
        let total = Int(end.pageCount)
        let chosen = Set(
            (0..<1 + random.below(pages)).map { _ in UInt32(2 + random.below(total - 1)) })
        var entries: [PageTableEntry] = []
        var bodies: [UInt8] = []
        let hasher = TableHasher()
        for page in chosen.sorted() where page != geometry.lockPage {
            let entry = change(page, into: &bodies)
            hasher.add(page: page, hash: entry.hash)
            entries.append(entry)
        }
        let position = Position(epoch: 1, sequence: end.position.sequence + 1)
        let seen = end.seen.wall.adding(nanoseconds: 10_000_000)
        var record = Record(
            kind: .commit, position: position,
            seen: Record.Moment(
                wall: seen, boot: end.seen.boot + 10_000_000, bootID: end.seen.bootID),
            notBefore: seen, database: 0, pageSize: end.pageSize, pageCount: end.pageCount,
            stateRoot: spoilsRoots ? Hasher256.digest([1]) : root.digest, previous: end.chain,
            tableHash: hasher.finish())
        record.tableCount = UInt32(entries.count)
        if !entries.isEmpty {
            try segment.append(PageTable.encode(entries), kind: .pageTable)
            try segment.append(bodies, kind: .pageBodies)
            record.tableBlobs = 1
            record.bodyBlobs = 1
        }
        try segment.append(record.encoded, kind: .record)
        end = record
        guard remembersStates else { return }
        states[record.position.sequence] = Hasher256.digest(bytes)
        references[record.position.sequence] = reference
    }

    /// Changes a few bytes of a page.
    private func change(_ page: UInt32, into bodies: inout [UInt8]) -> PageTableEntry {
        let start = (Int(page) - 1) * geometry.pageSize
        let range = start..<start + geometry.pageSize
        let previous = Array(bytes[range])
        for _ in 0..<8 { bytes[start + random.below(geometry.pageSize)] = random.bytes(1)[0] }
        let before = bodies.count
        let leans = leaning[page, default: 0] < PageCoder.chainLimit
        let (hash, codec) = bytes[range].withUnsafeBytes { new in
            previous.withUnsafeBytes { old in
                root.subtract(PageHash.hash(of: page, old, with: tools.hasher))
                let hash = PageHash.hash(of: page, new, with: tools.hasher)
                root.add(hash)
                let codec = PageCoder(tools).encode(
                    new, previous: leans ? old : nil, into: &bodies)
                return (hash, codec)
            }
        }
        leaning[page] = codec == .dictionary ? leaning[page, default: 0] + 1 : 0
        return PageTableEntry(page: page, hash: hash, codec: codec, length: bodies.count - before)
    }

    var reference: DatabaseReference {
        DatabaseReference(
            stream: identity.stream, position: end.position, chain: end.chain, fingerprint: [])
    }

    /// The database that the repository gives back, with so many bytes of changes at a time.
    func recovered(budget: Int) throws -> [UInt8] {
        try recovered(reference, budget: budget)
    }

    /// What the repository gives back for one of the commits.
    func recovered(
        _ reference: DatabaseReference, budget: Int = 1 << 20, by recovery: DatabaseRecovery? = nil
    ) throws -> [UInt8] {
        let recovery = try recovery ?? DatabaseRecovery(from: repository)
        var cursor = try StateCursor(
            over: recovery.path(to: reference), wantsBodies: true, budget: budget)
        var result: [UInt8] = []
        while let plan = try cursor.next() { result += try plan.build(with: tools) }
        return result
    }
}
