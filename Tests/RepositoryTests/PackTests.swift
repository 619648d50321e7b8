import Codec
import Platform
import Repository
import Simulation
import Testing

@Suite struct PackTests {
    @Test func whatIsStoredIsReadBackByAnotherProcess() throws {
        let scene = try RepositoryScene()
        let large = SeededRandomness(seed: 9).bytes(3_000_000)
        let contents = sampleContents + [large]
        let ids = try TestRepository.store(contents, in: scene.open())
        for (id, bytes) in zip(ids, contents) {
            let found = try scene.read(id)
            #expect(found.count == bytes.count && found.elementsEqual(bytes))
        }
    }

    @Test func treesAndDataLieInPacksOfTheirOwn() throws {
        let scene = try RepositoryScene()
        let repository = try scene.open()
        _ = try TestRepository.store(sampleContents, in: repository)
        _ = try TestRepository.store([[1, 2, 3]], kind: .tree, in: repository)
        #expect(try scene.packs().count == 2)
    }

    @Test func whatIsStoredAlreadyIsNotStoredAgain() throws {
        let scene = try RepositoryScene()
        let first = try TestRepository.store(sampleContents + sampleContents, in: scene.open())
        let second = try TestRepository.store(sampleContents, in: scene.open(cache: "other"))
        #expect(first == second + second)
        #expect(try scene.packs().count == 1)
    }

    @Test func aPackWithoutItsIndexIsReadByItsBlobs() throws {
        let scene = try RepositoryScene()
        let ids = try TestRepository.store(sampleContents, in: scene.open())
        let name = try #require(try scene.packs().first)
        let whole = try #require(scene.place.contents(name))
        var flipped = whole
        flipped[whole.count - PackFormat.footerSize - 20] ^= 1
        for bytes in [flipped, Array(whole.dropLast(PackFormat.footerSize)), whole + [0]] {
            scene.place.tamper(name, bytes)
            let repository = try scene.open(cache: "fresh-\(bytes.count)")
            #expect(try repository.refresh().map(\.pack) == [name])
            for (id, bytes) in zip(ids, sampleContents) {
                #expect(try BlobOpener(repository).read(id) == bytes)
            }
        }
    }

    @Test func aHurtBlobDoesNotHideTheOthersOfItsPack() throws {
        let scene = try RepositoryScene()
        let ids = try TestRepository.store(sampleContents, in: scene.open())
        let name = try #require(try scene.packs().first)
        var bytes = try #require(scene.place.contents(name))
        bytes[PackFormat.headerSize + 60] ^= 1
        bytes[bytes.count - 1] ^= 1
        scene.place.tamper(name, bytes)
        #expect(try code { _ = try scene.read(ids[0]) } == .damaged)
        #expect(try scene.read(ids[1]) == sampleContents[1])
        #expect(try scene.read(ids[2]) == sampleContents[2])
    }

    @Test func anotherCopyOfAHurtBlobIsRead() throws {
        let scene = try RepositoryScene()
        let ids = try TestRepository.store(sampleContents, in: scene.open())
        let first = try #require(try scene.packs().first)
        let whole = scene.place.contents(first)
        scene.place.tamper(first, nil)
        _ = try TestRepository.store(sampleContents, in: scene.open())
        var bytes = try #require(whole)
        bytes[PackFormat.headerSize + 60] ^= 1
        scene.place.tamper(first, bytes)
        #expect(try scene.packs().count == 2)
        #expect(try scene.read(ids[0]) == sampleContents[0])
    }

    // MARK: Damage

    @Test func eachFlippedByteOfAPackIsFound() throws {
        let scene = try RepositoryScene()
        let repository = try scene.open()
        _ = try TestRepository.store(sampleContents, in: repository)
        let name = try #require(try scene.packs().first)
        let whole = try #require(scene.place.contents(name))
        #expect(try scene.check(name, in: repository).reason == nil)
        for index in whole.indices {
            for mask: UInt8 in [1 << (index % 8), 0xFF] {
                var bytes = whole
                bytes[index] ^= mask
                scene.place.tamper(name, bytes)
                let finding = try scene.check(name, in: repository)
                #expect(finding.reason != nil, "byte \(index) xor \(mask)")
            }
        }
    }

    @Test func eachTruncationOfAPackIsFound() throws {
        let scene = try RepositoryScene()
        let repository = try scene.open()
        _ = try TestRepository.store(sampleContents, in: repository)
        let name = try #require(try scene.packs().first)
        let whole = try #require(scene.place.contents(name))
        for count in whole.indices {
            scene.place.tamper(name, Array(whole.prefix(count)))
            #expect(try scene.check(name, in: repository).reason != nil, "\(count) bytes")
        }
        scene.place.tamper(name, whole + whole)
        #expect(try scene.check(name, in: repository).reason != nil)
    }

    @Test func missingSwappedAndForeignPacksAreFound() throws {
        let scene = try RepositoryScene()
        let repository = try scene.open()
        _ = try TestRepository.store([[1]], in: repository)
        _ = try TestRepository.store([[2]], in: repository)
        let names = try scene.packs()
        let contents = names.map(scene.place.contents)
        scene.place.tamper(names[0], contents[1])
        #expect(try scene.check(names[0], in: repository).reason != nil)
        scene.place.tamper(names[0], nil)
        #expect(try scene.check(names[0], in: repository).isAbsent)

        let other = try RepositoryScene(seed: 2)
        _ = try TestRepository.store([[1]], in: other.open())
        let foreign = try #require(try other.packs().first)
        scene.place.tamper(foreign, other.place.contents(foreign))
        let finding = try scene.check(foreign, in: repository)
        #expect(finding.reason != nil)
        let hurt = try scene.open(cache: "fresh").refresh()
        #expect(hurt.map(\.pack) == [foreign])
    }

    @Test func aPackOfAnotherFolderIsRefused() throws {
        let scene = try RepositoryScene()
        let repository = try scene.open()
        _ = try TestRepository.store([[1]], in: repository)
        let name = try #require(try scene.packs().first)
        let moved = ObjectName(.segments, name.name)
        scene.place.tamper(moved, scene.place.contents(name))
        #expect(try scene.check(moved, in: repository).reason != nil)
    }
}
