import Codec
import Platform
import Repository
import Simulation
import Testing

/// What prune deletes, and for whom it waits.
@Suite struct PrunerTests {
    private let scene: RepositoryScene
    private let old: BlobID

    init() throws {
        scene = try RepositoryScene()
        old = try TestRepository.store([sampleContents[1]], in: scene.open())[0]
    }

    /// A prune by another host, for which nothing but these is needed.
    @discardableResult
    private func prune(needing needed: [BlobID] = []) throws -> PruneReport {
        let repository = try scene.open(cache: "prune", process: .simulated(boot: 5), host: "bravo")
        let lease = try HeldLease(on: scene.place, purpose: "prune", world: repository.world)
        try repository.refresh()
        try lease.declare(honouring: repository.marks)
        let pruner = Pruner(
            repository, under: lease,
            survey: {
                try repository.refresh()
                let blobs = try NeededBlobs(in: repository.catalogue)
                _ = try blobs.add(needed.map { NeededBlob($0, .data) })
                return KeptObjects(
                    listing: try KeptObjects.list(in: repository.place), blobs: blobs,
                    segments: [], unneededSegments: [])
            }, checkpoint: {})
        let report = try pruner.run(.bytes(0)) { _ in }
        try lease.end()
        return report
    }

    private func begin(declaring: Bool) throws -> (Repository, HeldLease) {
        let repository = try scene.open(cache: "writer", process: .simulated(boot: 6))
        let lease = try HeldLease(on: scene.place, purpose: "backup", world: repository.world)
        try repository.refresh()
        if declaring { try lease.declare(honouring: repository.marks) }
        return (repository, lease)
    }

    @Test func whatNothingNeedsIsGoneAfterOneRunWhereNobodyIsAtWork() throws {
        #expect(try prune().deleted.files == 1)
        #expect(try scene.packs().isEmpty && scene.place.list(.marks).isEmpty)
    }

    @Test(arguments: [false, true])
    func aWriterThatBeganBeforeTheMarkKeepsWhatItBuiltOn(_ declaring: Bool) throws {
        try prune(needing: [old])  // the pack is known: it is not fresh
        let (writer, lease) = try begin(declaring: declaring)
        #expect(try writer.holds(old))
        for _ in 0..<3 {
            let report = try prune()
            #expect(report.deleted.files == 0 && report.waiting.files == 1)
            #expect(report.holders.count == 1)
        }
        #expect(try scene.read(old) == sampleContents[1])
        try lease.end()
        // By now something kept needs it: it is copied, and only the marked pack goes.
        let marked = try scene.packs()
        #expect(try prune(needing: [old]).deleted.files == 1)
        #expect(try scene.packs() != marked && scene.place.list(.marks).isEmpty)
        #expect(try scene.read(old) == sampleContents[1])
    }

    @Test func aWriterThatReadTheMarkBuildsOnNothingMarkedAndHindersNobody() throws {
        try prune(needing: [old])
        let (_, first) = try begin(declaring: true)
        try prune()
        let (writer, second) = try begin(declaring: true)
        #expect(try !writer.holds(old))
        #expect(try prune().deleted.files == 0)
        try first.end()
        #expect(try prune().deleted.files == 1)
        try second.end()
    }

    @Test func aReaderHindersUntilItEndsAndALongHolderUntilItDeclaresItselfAnew() throws {
        try prune(needing: [old])
        let (reader, lease) = try begin(declaring: false)
        try prune()
        #expect(try prune().deleted.files == 0)
        try reader.refresh()
        try lease.declare(honouring: reader.marks)
        #expect(try prune().deleted.files == 1)
        try lease.end()
    }

    @Test func packsOfAWriterAtWorkAreNotEvenMarked() throws {
        let (writer, lease) = try begin(declaring: true)
        try scene.place.remove(scene.packs())
        let new = try TestRepository.store([sampleContents[0]], in: writer)[0]
        let report = try prune()
        #expect(report.fresh.files == 1 && report.waiting.files == 0)
        try lease.end()
        #expect(try prune(needing: [new]).deleted.files == 0)
        #expect(try prune().deleted.files == 1)
    }
}
