import Codec
import Platform
import Repository
import SQLite
import Simulation
import Synchronization
import Testing

@testable import Timeline

/// A repository with one database that was recorded as a base and some changes.
final class StreamScene {
    let repository: Repository
    let place = MemoryPlace()
    private(set) var states: [DatabaseReference] = []
    private let scratch = ScratchFolder()
    private let folder = CaptureScratch()

    init(seed: UInt64) throws {
        let world = World.simulated(SeededRandomness(seed: seed))
        try TestRepository.make(at: place, world: world)
        repository = try TestRepository.open(place, cache: scratch.path, world: world)
        let connection = try folder.makeDatabase("a.db", pageSize: 512, mode: "wal", rows: 60)
        for _ in 0..<3 {
            let captured = try repository.record(folder.file("a.db"), scratch: scratch.path)
            states.append(captured.database.reference)
            try folder.insert(20, into: connection)
        }
    }

    func under<R>(_ body: (HeldLease) throws -> R) throws -> R {
        let lease = try HeldLease(on: place, purpose: "test", world: repository.world)
        try repository.refresh()
        let result = try body(lease)
        try lease.end()
        return result
    }

    /// The blobs of each segment, opened.
    func segments() throws -> [(name: ObjectName, blobs: [(kind: BlobKind, bytes: [UInt8])])] {
        let opener = BlobOpener(repository)
        return try place.list(.segments).map(\.name).sorted().map { name in
            let reader = try SegmentReader(name, in: repository, with: opener)
            let blobs = try reader.entries.indices.map {
                (kind: reader.entries[$0].header.kind, bytes: try reader.read($0))
            }
            return (name, blobs)
        }
    }

    /// Puts a segment of these blobs, sealed as it should be, in the place of another.
    func replace(
        _ name: ObjectName, by blobs: [(kind: BlobKind, bytes: [UInt8])]
    ) throws -> ObjectName {
        let hasher = repository.keys.blobHasher()
        let encoded = blobs.map { blob in
            EncodedBlob(
                kind: blob.kind, codec: .stored, plainSize: blob.bytes.count,
                id: blob.bytes.withUnsafeBytes { BlobID(hasher.digest($0)) },
                bytes: blob.bytes[...])
        }
        let pack = try under { try repository.save(encoded, in: .segments, under: $0) }
        place.tamper(name, nil)
        return pack.name
    }

    /// Recovers a state into nothing.
    func recover(_ state: DatabaseReference) throws {
        let pool = WorkPool(repository, level: .fast, failure: FirstFailure())
        defer { pool.finish() }
        try DatabaseRecovery(from: repository).recover(state, with: pool) { _, _ in }
    }
}

/// A segment that is sealed with the right keys may still say anything.
@Suite struct HostileStreamTests {
    private static let rounds = TestShare.count(share: 1500, whole: 20_000)

    /// A blob that says something else; of a record, one that still is a record.
    private static func hurt(
        _ blob: (kind: BlobKind, bytes: [UInt8]), with random: SeededRandomness
    ) throws -> [UInt8] {
        guard blob.kind == .record, random.chance(3, in: 4) else {
            return random.mutated(blob.bytes)
        }
        var record = try Record(decoding: blob.bytes)
        let numbers: [UInt64] = [0, 1, 2, 513, 1 << 20, 0xFFFF_FFFE, 0xFFFF_FFFF, .max]
        let number = numbers[random.below(numbers.count)]
        switch random.below(6) {
        case 0: record.pageCount = UInt32(clamping: number)
        case 1: record.pageSize = 512 << random.below(8)
        case 2: record.position = Position(epoch: number, sequence: record.position.sequence)
        case 3: record.position = Position(epoch: 1, sequence: number)
        case 4: record.tableCount = UInt32(clamping: number)
        default: record.kind = [.commit, .tree, .gap, .base, .epoch][random.below(5)]
        }
        return record.encoded
    }

    /// Each state that the segments offer, as a snapshot of the same hand would name it.
    private static func states(in scene: StreamScene) throws -> [DatabaseReference] {
        try StreamIndex(of: scene.repository).streams.flatMap { id, stream in
            try stream.summaries().flatMap { try stream.records(of: $0) }.map {
                $0.reference(in: id)
            }
        }
    }

    @Test func aSegmentThatSaysSomethingElseIsRefusedOrHarmless() throws {
        let seed: UInt64 = 81
        let scene = try StreamScene(seed: seed)
        for state in scene.states { try scene.recover(state) }
        let random = SeededRandomness(seed: seed)
        let originals = try scene.segments()
        let before = AddressSpace.peak
        var refused = 0
        for round in 0..<Self.rounds {
            let (name, blobs) = originals[round % originals.count]
            let whole = scene.place.contents(name)
            var hurt = blobs
            let index = random.below(blobs.count)
            hurt[index].bytes = try Self.hurt(blobs[index], with: random)
            let replacement = try scene.replace(name, by: hurt)
            for state in try scene.states + Self.states(in: scene) {
                do {
                    let recovery = try DatabaseRecovery(from: scene.repository)
                    try recovery.check(state) { _ in false }
                    try scene.recover(state)
                } catch is RepositoryError {
                    refused += 1
                }
            }
            scene.place.tamper(replacement, nil)
            scene.place.tamper(name, whole)
        }
        #expect(refused > Self.rounds / 2)
        #expect(AddressSpace.peak - before < 2 << 30, "seed \(seed)")
        print("hostile segments: \(Self.rounds)")
    }
}
