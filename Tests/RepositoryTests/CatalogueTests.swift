import Codec
import Glibc
import Platform
import Repository
import Simulation
import Testing

/// The catalogue is never the truth: whatever becomes of it, the packs tell what there is.
@Suite struct CatalogueTests {
    private static func path(_ scene: RepositoryScene, _ repository: Repository) -> FilePath {
        scene.scratch.path.appending("cache").appending(repository.identity)
            .appending("catalogue.db")
    }

    /// A repository with blobs, and a catalogue on disk that knows them.
    private static func stored() throws -> (RepositoryScene, ids: [BlobID], catalogue: FilePath) {
        let scene = try RepositoryScene()
        let many = (0..<400).map { SeededRandomness(seed: $0).bytes(50) }
        let repository = try scene.open()
        let ids = try TestRepository.store(sampleContents + many, in: repository)
        let path = path(scene, repository)
        return (scene, ids, path)
    }

    private static func expectAllIsFound(_ scene: RepositoryScene, _ ids: [BlobID]) throws {
        let repository = try scene.open()
        try repository.refresh()
        let opener = BlobOpener(repository)
        for (id, bytes) in zip(ids, sampleContents) {
            #expect(try opener.read(id, kind: .data) == bytes)
        }
        for id in ids { #expect(try repository.holds(id)) }
        _ = try TestRepository.store(sampleContents, in: repository)
        #expect(try scene.packs().count == 1)
    }

    @Test func aCatalogueThatWasDeletedIsMadeAgain() throws {
        let (scene, ids, path) = try Self.stored()
        ScratchFolder.empty(path.parent)
        try Self.expectAllIsFound(scene, ids)
    }

    @Test(arguments: [
        "garbage", "zeros", "empty", "half", "first page", "later pages", "last pages", "text",
    ])
    func aCatalogueThatIsDamagedIsMadeAgain(_ damage: String) throws {
        let (scene, ids, path) = try Self.stored()
        var bytes = try Descriptor.contents(of: path, limit: 1 << 24)
        let noise = SeededRandomness(seed: 3).bytes(bytes.count)
        switch damage {
        case "garbage": bytes = noise
        case "zeros": bytes = [UInt8](repeating: 0, count: bytes.count)
        case "empty": bytes = []
        case "half": bytes = Array(bytes.prefix(bytes.count / 2))
        case "first page": bytes.replaceSubrange(100..<4096, with: noise[100..<4096])
        case "later pages": bytes.replaceSubrange(4096..., with: noise[4096...])
        case "last pages":
            let middle = bytes.count / 8192 * 4096
            bytes.replaceSubrange(middle..., with: noise[middle...])
        default: bytes = Array("this is no database\n".utf8)
        }
        ScratchFolder.empty(path.parent)
        try ScratchFolder.write(bytes, to: path)
        do {
            try Self.expectAllIsFound(scene, ids)
        } catch is CatalogueLost {
            // Found only when a blob was looked for: that run fails, the next one does not.
            try Self.expectAllIsFound(scene, ids)
        }
    }

    @Test func theCatalogueOfAnotherRepositoryIsNotBelieved() throws {
        let (scene, ids, path) = try Self.stored()
        let other = try RepositoryScene(seed: 2)
        let repository = try other.open()
        _ = try TestRepository.store([[1], [2]], in: repository)
        let foreign = try Descriptor.contents(of: Self.path(other, repository), limit: 1 << 24)
        ScratchFolder.empty(path.parent)
        try ScratchFolder.write(foreign, to: path)
        try Self.expectAllIsFound(scene, ids)
    }

    @Test func aPackThatIsGoneOrAnotherOneIsDropped() throws {
        let (scene, ids, _) = try Self.stored()
        let name = try #require(try scene.packs().first)
        let whole = scene.place.contents(name)
        scene.place.tamper(name, nil)
        let repository = try scene.open()
        try repository.refresh()
        #expect(try !repository.holds(ids[0]))
        scene.place.tamper(name, whole)
        try repository.refresh()
        #expect(try repository.holds(ids[0]))
        scene.place.tamper(name, whole.map { Array($0.dropLast(200)) })
        #expect(try repository.refresh().map(\.pack) == [name])
    }

    // MARK: Marks

    @Test func writersDoNotBuildOnABlobInAMarkedPack() throws {
        let scene = try RepositoryScene()
        let ids = try TestRepository.store(sampleContents, in: scene.open())
        let marked = try #require(try scene.packs().first)
        try scene.place.create(ObjectName(.marks, marked.name), [])
        let repository = try scene.open()
        try repository.refresh()
        #expect(try !repository.holds(ids[0]))
        #expect(try BlobOpener(repository).read(ids[0], kind: .data) == sampleContents[0])

        _ = try TestRepository.store(sampleContents, in: repository)
        #expect(try scene.packs().count == 2)
        #expect(try repository.holds(ids[0]))
        scene.place.tamper(marked, nil)
        #expect(try scene.read(ids[0]) == sampleContents[0])
    }

    @Test func readersTakeTheCopyThatIsNotMarkedFirst() throws {
        let scene = try RepositoryScene()
        let ids = try TestRepository.store(sampleContents, in: scene.open())
        let marked = try #require(try scene.packs().first)
        try scene.place.create(ObjectName(.marks, marked.name), [])
        _ = try TestRepository.store(sampleContents, in: scene.open())
        let kept = try #require(try scene.packs().first { $0 != marked })
        let repository = try scene.open()
        try repository.refresh()
        let places = try repository.locations(of: ids[0])
        #expect(places.count == 2)
        #expect(try places.map { try repository.pack($0.pack).name } == [kept, marked])
    }
}
