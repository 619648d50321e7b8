import Codec
import Platform
import Repository
import Simulation
import Testing

@testable import Timeline

/// A journal and a repository on one simulated disk.
private final class SealingScene {
    private static let root = FilePath("/repository")

    let disk: SimulatedDisk
    private let scratch = ScratchFolder()

    init(seed: UInt64) throws {
        disk = SimulatedDisk()
        try TestRepository.make(at: place(on: disk, seed), world: world(seed))
    }

    private func world(_ seed: UInt64) -> World {
        World.simulated(SeededRandomness(seed: seed))
    }

    private func place(on disk: SimulatedDisk, _ seed: UInt64) -> DirectoryPlace {
        DirectoryPlace(
            at: SealingScene.root, on: disk, randomness: SeededRandomness(seed: seed ^ 0xABCD))
    }

    func repository(on disk: SimulatedDisk, seed: UInt64) throws -> Repository {
        try TestRepository.open(
            place(on: disk, seed), cache: scratch.path, world: world(seed))
    }

    /// Seals all that the journal on a disk has.
    @discardableResult
    func seal(
        on disk: SimulatedDisk, seed: UInt64, segmentBytes: UInt64 = 6000
    ) throws -> Sealed? {
        let repository = try repository(on: disk, seed: seed)
        let lease = try HeldLease(on: repository.place, purpose: "watch", world: repository.world)
        let journal = try Journal.sample(on: disk)
        let sealer = Sealer(
            of: journal, into: repository, under: lease, segmentBytes: segmentBytes)
        let sealed = try sealer.seal()
        try lease.end()
        return sealed
    }

    /// Records of all segments, with what lies before each.
    func records(
        on disk: SimulatedDisk, seed: UInt64
    ) throws -> [(record: Record, table: [PageTableEntry], bodies: [UInt8])] {
        let repository = try repository(on: disk, seed: seed)
        let opener = BlobOpener(repository)
        var found: [(record: Record, table: [PageTableEntry], bodies: [UInt8])] = []
        for file in try repository.place.list(.segments) {
            let reader = try SegmentReader(file.name, in: repository, with: opener)
            var table: [PageTableEntry] = []
            var bodies: [UInt8] = []
            for index in reader.entries.indices {
                let bytes = try reader.read(index)
                switch reader.entries[index].header.kind {
                case .pageTable: table += try PageTable.decode(bytes)
                case .pageBodies: bodies += bytes
                case .record:
                    found.append((try Record(decoding: bytes), table, bodies))
                    (table, bodies) = ([], [])
                default: continue
                }
            }
        }
        return found.sorted { $0.record.position < $1.record.position }
    }

    /// Each record is in the repository once, and the journal has none.
    func check(_ disk: SimulatedDisk, _ expected: [ChangeSet], seed: UInt64, _ what: String) throws
    {
        let chains = try records(on: disk, seed: seed).map(\.record.chain)
        #expect(chains == expected.map(\.record.chain), "\(what)")
        #expect(try Journal.sample(on: disk).records == 0, "\(what)")
    }
}

@Suite struct SealerTests {
    private static let seeds = UInt64(TestShare.count(share: 1, whole: 25))

    private static func filled(
        _ scene: SealingScene, seed: UInt64, commits: Int
    ) throws -> [ChangeSet] {
        var stream = SampleStream(seed: seed)
        let journal = try Journal.sample(on: scene.disk)
        return try (0..<commits).map { _ in
            let change = stream.commit(pages: 6, bodyBytes: 500)
            try journal.append([change])
            return change
        }
    }

    @Test func whatIsSealedIsWhatWasAppended() throws {
        let scene = try SealingScene(seed: 1)
        let changes = try Self.filled(scene, seed: 1, commits: 40)
        let sealed = try scene.seal(on: scene.disk, seed: 2)
        #expect((sealed?.segments.count ?? 0) > 2)
        #expect(sealed?.records == changes.count)
        #expect(sealed?.end.position == changes.last?.record.position)
        try scene.check(scene.disk, changes, seed: 3, "sealed")
        let decompressor = Decompressor()
        for (found, change) in zip(try scene.records(on: scene.disk, seed: 4), changes) {
            #expect(found.table.map(\.hash) == change.entries.map(\.hash))
            var offsets = (found: 0, change: 0)
            for (entry, original) in zip(found.table, change.entries) {
                let body = found.bodies[offsets.found..<offsets.found + entry.length]
                let plain = change.bodies[offsets.change..<offsets.change + original.length]
                var page = Array(body)
                if original.codec == .stored, entry.codec == .zlib {
                    page = [UInt8](repeating: 0, count: original.length)
                    try page.withUnsafeMutableBytes { page in
                        try body.withUnsafeBytes { try decompressor.decompress($0, into: page) }
                    }
                }
                #expect(page == Array(plain))
                offsets.found += entry.length
                offsets.change += original.length
            }
        }
    }

    @Test func sealingGoesOnWhereItEnded() throws {
        let scene = try SealingScene(seed: 5)
        var stream = SampleStream(seed: 5)
        var changes: [ChangeSet] = []
        let repository = try scene.repository(on: scene.disk, seed: 6)
        let lease = try HeldLease(on: repository.place, purpose: "watch", world: repository.world)
        let journal = try Journal.sample(on: scene.disk)
        let sealer = Sealer(of: journal, into: repository, under: lease)
        #expect(try sealer.seal() == nil)
        for _ in 0..<4 {
            for _ in 0..<5 { changes.append(stream.commit()) }
            try journal.append(Array(changes.suffix(5)))
            let sealed = try sealer.seal()
            #expect(sealed?.end == stream.end)
            #expect(sealed?.records == 5)
        }
        #expect(
            try scene.records(on: scene.disk, seed: 7).map(\.record.chain)
                == changes.map(\.record.chain))
    }

    @Test func aNewEpochBeginsASegmentAtARecordThatIsThere() throws {
        let scene = try SealingScene(seed: 8)
        var stream = SampleStream(seed: 8)
        let first = stream.commit()
        let start = stream.end
        let lost = stream.commit()
        let epoch = stream.epoch(at: start)
        let after = stream.commit()
        do {
            let journal = try Journal.sample(on: scene.disk)
            try journal.append([first, lost, epoch, after])
        }
        let sealed = try scene.seal(on: scene.disk, seed: 9)
        #expect(sealed?.segments.count == 2)
        try scene.check(scene.disk, [first, lost, epoch, after], seed: 10, "epoch")
    }

    @Test func aRecordThatContinuesNothingInTheRepositoryStaysInTheJournal() throws {
        let scene = try SealingScene(seed: 11)
        var stream = SampleStream(
            seed: 11,
            after: JournalEnd(
                position: Position(epoch: 1, sequence: 5), chain: Hasher256.digest([5])))
        do {
            let journal = try Journal.sample(on: scene.disk)
            try journal.append([stream.commit()])
        }
        #expect { try scene.seal(on: scene.disk, seed: 12) } throws: {
            ($0 as? JournalError)?.code == .detached
        }
        #expect(try Journal.sample(on: scene.disk).records == 1)
    }

    @Test func aSegmentThatRottedIsNoReasonToDropTheJournal() throws {
        let scene = try SealingScene(seed: 13)
        let changes = try Self.filled(scene, seed: 13, commits: 12)
        let before = scene.disk.copy()
        try scene.seal(on: scene.disk, seed: 14, segmentBytes: 1 << 20)
        // The segment is there, the parts too, as after a crash before their removal.
        let segment = try #require(
            scene.disk.files.first { "\($0)".contains("/segments/") })
        var bytes = try #require(scene.disk.contents(segment))
        bytes[200] ^= 1
        try before.setContents(segment, bytes)
        let sealed = try scene.seal(on: before, seed: 15, segmentBytes: 1 << 20)
        #expect(sealed?.records == changes.count)
    }

    @Test func anInterruptionAtEveryStepNeitherLosesNorDoublesARecord() throws {
        var interruptions = 0
        for seed in 1...Self.seeds {
            let scene = try SealingScene(seed: seed)
            let changes = try Self.filled(scene, seed: seed, commits: 14)
            let start = scene.disk.operationCount
            let whole = scene.disk.copy()
            try scene.seal(on: whole, seed: seed)
            for operation in start...whole.operationCount {
                let crashed = scene.disk.copy()
                crashed.crash(afterOperations: operation)
                _ = try? scene.seal(on: crashed, seed: seed)
                let what = "seed \(seed), cut after operation \(operation)"
                let found = crashed.afterCrash(seed: seed &* 31 &+ UInt64(operation))
                try scene.seal(on: found, seed: seed &+ 1000)
                try scene.check(found, changes, seed: seed &+ 2000, what)

                let failed = scene.disk.copy()
                failed.failing(atOperation: operation, errno: .noSpace)
                _ = try? scene.seal(on: failed, seed: seed)
                try scene.seal(on: failed, seed: seed &+ 1000)
                try scene.check(failed, changes, seed: seed &+ 2000, what + ", disk full")
                interruptions += 2
            }
        }
        print("sealing: \(interruptions) interruptions")
    }
}
