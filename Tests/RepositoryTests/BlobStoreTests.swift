import Codec
import Platform
import Repository
import Simulation
import Synchronization
import Testing

/// The pipeline with its threads.
@Suite struct BlobStoreTests {
    private static let contents = (0..<300).map { number in
        SeededRandomness(seed: UInt64(number % 200)).bytes(number % 7 * 900)
    }

    /// Stores all contents on several threads; answers their ids.
    private static func store(
        in repository: Repository, _ lease: HeldLease, beforeTheEnd: () throws -> Void = {}
    ) throws -> [BlobID?] {
        let store = BlobStore(repository, lease: lease, level: .fast)
        let ids = Mutex([BlobID?](repeating: nil, count: contents.count))
        do {
            for (number, bytes) in contents.enumerated() {
                try store.pool.submit(bytes: bytes.count) { tools in
                    let id = try bytes.withUnsafeBytes {
                        try store.put($0, kind: .data, with: tools)
                    }
                    ids.withLock { $0[number] = id }
                }
            }
            try beforeTheEnd()
            _ = try store.finish()
        } catch {
            store.cancel(because: error)
            throw error
        }
        return ids.withLock { $0 }
    }

    @Test func manyThreadsStoreEachContentOnce() throws {
        let scene = try RepositoryScene()
        let repository = try scene.open(workers: 4)
        let lease = try HeldLease(on: scene.place, purpose: "test", world: repository.world)
        try repository.refresh()
        let ids = try Self.store(in: repository, lease)
        try lease.end()
        #expect(Set(ids).count == Set(Self.contents).count)
        let opener = BlobOpener(repository)
        for (id, bytes) in zip(ids, Self.contents) {
            #expect(try opener.read(try #require(id)) == bytes)
        }
        #expect(try scene.packs().count == 1)
        let pack = try scene.check(try scene.packs()[0], in: repository)
        #expect(pack.reason == nil)
    }

    @Test func aLostLeaseFailsTheStoreAndHangsNobody() throws {
        for round in 0..<20 {
            let scene = try RepositoryScene(seed: UInt64(round) + 1)
            let repository = try scene.open(workers: 3)
            let lease = try HeldLease(on: scene.place, purpose: "test", world: repository.world)
            try repository.refresh()
            let failure = try code {
                _ = try Self.store(in: repository, lease) {
                    try scene.place.revoke(lease: lease.id)
                }
            }
            #expect(failure == .revoked)
            #expect(try scene.place.list(.packs).isEmpty)
        }
    }

    @Test func aDryRunStoresNothingAndCountsAll() throws {
        let scene = try RepositoryScene()
        let repository = try scene.open()
        let lease = try HeldLease(on: scene.place, purpose: "test", world: repository.world)
        try repository.refresh()
        let store = BlobStore(repository, lease: lease, level: .fast, dryRun: true)
        let tools = Tools(repository, level: .fast)
        for bytes in sampleContents {
            _ = try bytes.withUnsafeBytes { try store.put($0, kind: .data, with: tools) }
        }
        let statistics = try store.finish()
        #expect(statistics.dataBlobs == sampleContents.count)
        #expect(statistics.added == UInt64(sampleContents.reduce(0) { $0 + $1.count }))
        #expect(try scene.place.list(.packs).isEmpty)
    }
}
