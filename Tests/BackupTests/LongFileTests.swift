import Backup
import Glibc
import Platform
import Repository
import Simulation
import Testing

/// A file with more pieces than its node holds: with lists this short, a small one is such a file.
@Suite struct LongFileTests {
    private static func scene(seed: UInt64, workers: Int = 0) throws -> SmallScene {
        let scene = try SmallScene(seed: seed)
        scene.lists = PieceListShape(inline: 2, smallest: 2, largest: 3, mask: 1)
        scene.workers = workers
        let bytes = SeededRandomness(seed: seed).bytes(7 << 20)
        try ScratchFolder.write(bytes, to: scene.source.appending("long"))
        // The same with a hole at its front and one at its end.
        let sparse = try Descriptor.open(
            scene.source.appending("sparse"), flags: O_WRONLY | O_CREAT, mode: 0o644)
        try bytes.withUnsafeBytes { try sparse.write($0, at: 1 << 20) }
        try sparse.truncate(to: 9 << 20)
        return scene
    }

    private static func content(
        _ name: String, of snapshot: StoredSnapshot, in repository: Repository, _ scene: SmallScene
    ) throws -> PieceList {
        let browser = SnapshotBrowser(repository)
        let node = try browser.node(at: scene.source.appending(name), in: snapshot)
        guard case .file(let pieces, _) = node?.content else {
            throw RepositoryError(.absent, name)
        }
        return pieces
    }

    private static func contents(_ path: FilePath) throws -> [UInt8] {
        try Descriptor.contents(of: path, limit: 1 << 24)
    }

    @Test(arguments: [0, 3])
    func aLongFileComesBack(workers: Int) throws {
        let scene = try Self.scene(seed: 1, workers: workers)
        let snapshot = try scene.backUp()
        let repository = try scene.open(fresh: true)
        try repository.refresh()
        for name in ["long", "sparse"] {
            #expect(try Self.content(name, of: snapshot, in: repository, scene).level > 0)
            let path = scene.source.appending(name)
            var dumped: [UInt8] = []
            try FileDump(repository).run(path, of: snapshot) { dumped += $0 }
            #expect(try dumped == Self.contents(path))
        }
        let (counts, target) = try scene.restore(snapshot)
        #expect(counts.problems == 0)
        for name in ["long", "sparse"] {
            #expect(
                try Self.contents(target.appending(name))
                    == Self.contents(scene.source.appending(name)))
        }
        for depth in [VerifyDepth.structure, .everything] {
            #expect(try scene.findings(fresh: true, depth)?.isEmpty == true)
        }
    }

    @Test func anUnchangedLongFileIsNotStoredAgain() throws {
        let scene = try Self.scene(seed: 2)
        try scene.backUp()
        let before = try scene.place.list(.packs).count
        // With a catalogue that knows nothing, each list and piece is looked for.
        let second = try scene.backUp(fresh: true)
        #expect(second.snapshot.totals.stored < 100_000)
        #expect(try scene.place.list(.packs).count <= before + 1)
    }

    @Test func aLostListHurtsItsFileAloneAndTheNextBackupHealsIt() throws {
        let scene = try Self.scene(seed: 3)
        let snapshot = try scene.backUp()
        let repository = try scene.open(fresh: true)
        try repository.refresh()
        let list = try Self.content("long", of: snapshot, in: repository, scene)
        let place = try #require(try repository.locations(of: list.entries[0].blob.id).first)
        let pack = try repository.pack(place.pack).name
        var bytes = try #require(scene.place.contents(pack))
        bytes[Int(place.entry.offset) + BlobHeader.size] ^= 1
        scene.place.tamper(pack, bytes)

        let findings = try #require(try scene.findings(fresh: true))
        #expect(findings.files == ["\(pack)"])
        #expect(findings.paths.contains("\(snapshot.shortID) long"))
        #expect(!findings.paths.contains("\(snapshot.shortID) a"))
        let (counts, target) = try scene.restore(snapshot)
        #expect(counts.damage > 0)
        #expect(try Self.contents(target.appending("a")) == Array("one".utf8))
        #expect(try LinuxDisk().entry(at: target.appending("long")) == nil)

        let healed = try scene.backUp(fresh: true)
        let again = try scene.restore(healed)
        #expect(again.counts.problems == 0)
    }
}
