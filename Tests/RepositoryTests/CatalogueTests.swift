import Codec
import Glibc
import Platform
import Repository
import SQLite
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
            #expect(try opener.read(id) == bytes)
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

    @Test func aProcessThatKeepsItLockedIsWaitedForAndThenTheFileIsNamed() throws {
        let (scene, _, path) = try Self.stored()
        let other = try Connection(
            opening: path, mode: .readWrite, busyTimeoutMilliseconds: 1000)
        try other.execute("BEGIN IMMEDIATE")
        let catalogue = try Catalogue(
            at: path, repository: scene.open().identity, patience: 20)
        let failure = try #require(throws: RepositoryError.self) {
            try catalogue.add(pack: "p", size: 1, entries: [])
        }
        #expect(failure.code == .locked)
        #expect(failure.message.contains("\(path)"))
        #expect(failure.hint?.contains("fuser -v \(path)") == true)
        try other.execute("COMMIT")
        try catalogue.add(pack: "p", size: 1, entries: [])
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

    // MARK: Packs that vanish

    /// Moves all blobs of a repository to new packs, as prune will.
    private static func move(_ scene: RepositoryScene, cache: String) throws {
        let old = try scene.packs()
        for pack in old { try scene.place.create(ObjectName(.marks, pack.name), []) }
        _ = try TestRepository.store(sampleContents, in: scene.open(cache: cache))
        for pack in old {
            scene.place.tamper(pack, nil)
            scene.place.tamper(ObjectName(.marks, pack.name), nil)
        }
        let mover = try scene.open(cache: cache)
        try mover.refresh()
    }

    @Test(arguments: ["cache", "another cache"])
    func aReaderListsPacksAgainWhenOneVanishes(cache: String) throws {
        let scene = try RepositoryScene()
        let ids = try TestRepository.store(sampleContents, in: scene.open())
        let reader = try scene.open()
        try reader.refresh()
        try Self.move(scene, cache: cache)
        // Also with the catalogue from which another process has dropped the pack.
        let opener = BlobOpener(reader)
        for (id, bytes) in zip(ids, sampleContents) {
            #expect(try opener.read(id) == bytes)
        }
    }

    @Test func aReaderFindsWhatASnapshotNamesThatIsYoungerThanItsListing() throws {
        let scene = try RepositoryScene()
        let reader = try scene.open()
        try reader.refresh()
        let ids = try TestRepository.store(sampleContents, in: scene.open(cache: "another cache"))
        _ = try reader.snapshots()
        #expect(try BlobOpener(reader).read(ids[0]) == sampleContents[0])
    }

    @Test func aLostBlobDoesNotCostAListingEachTime() throws {
        let scene = try RepositoryScene()
        let ids = try TestRepository.store(sampleContents, in: scene.open())
        for pack in try scene.packs() { scene.place.tamper(pack, nil) }
        let reader = try scene.open()
        try reader.refresh()
        _ = try reader.snapshots()
        let opener = BlobOpener(reader)
        for _ in 0..<10 {
            for id in ids {
                #expect(try code { _ = try opener.read(id) } == .damaged)
            }
        }
        #expect(reader.listingNumber == 2)
    }

    @Test func theNumberOfAPackThatIsGoneIsNotUsedAgain() throws {
        let scene = try RepositoryScene()
        let ids = try TestRepository.store([[1], [2]], in: scene.open())
        let reader = try scene.open()
        try reader.refresh()
        _ = try BlobOpener(reader).read(ids[0])
        let before = try reader.catalogue.packs().map(\.number)
        for pack in try scene.packs() { scene.place.tamper(pack, nil) }
        let others = try TestRepository.store(sampleContents, in: scene.open())
        #expect(Set(try reader.catalogue.packs().map(\.number)).isDisjoint(with: before))
        #expect(try BlobOpener(reader).read(others[0]) == sampleContents[0])
    }

    @Test func aCatalogueOfAnEarlierVersionIsMadeAgain() throws {
        let (scene, ids, path) = try Self.stored()
        let connection = try Connection(
            opening: path, mode: .readWrite, busyTimeoutMilliseconds: 1000)
        try connection.execute(
            """
            DROP TABLE packs; UPDATE about SET value = '1' || substr(value, 2);
            CREATE TABLE packs (
                number INTEGER PRIMARY KEY, name TEXT UNIQUE NOT NULL, size INTEGER NOT NULL);
            """)
        try connection.close()
        try Self.expectAllIsFound(scene, ids)
        let again = try Connection(
            opening: path, mode: .readWrite, busyTimeoutMilliseconds: 1000)
        let sequences = try again.prepare("SELECT seq FROM sqlite_sequence WHERE name = 'packs'")
        #expect(try sequences.step())
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
        #expect(try BlobOpener(repository).read(ids[0]) == sampleContents[0])

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
