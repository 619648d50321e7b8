import Backup
import Codec
import Platform
import Repository
import SQLite
import Simulation
import Testing

/// Verify finds whatever is hurt in a repository, and says what it means.
@Suite struct VerifierTests {
    /// Two snapshots: a base of the database and a change set.
    private static func scene(
        seed: UInt64
    ) throws -> (SmallScene, first: StoredSnapshot, second: StoredSnapshot) {
        let scene = try SmallScene(seed: seed)
        let first = try scene.backUp()
        try scene.connection.execute("INSERT INTO t VALUES (1, 'two')")
        try ScratchFolder.write(Array("another".utf8), to: scene.source.appending("a"))
        return (scene, first, try scene.backUp())
    }

    @Test func aWholeRepositoryHasNoFindings() throws {
        let (scene, _, _) = try Self.scene(seed: 1)
        for depth in [VerifyDepth.everything, .structure, .share(number: 1, count: 2)] {
            for fresh in [true, false] {
                let findings = try #require(try scene.findings(fresh: fresh, depth))
                #expect(findings.isEmpty, "\(depth)")
            }
        }
    }

    @Test func eachFlippedByteOfEachFileIsFound() throws {
        let (scene, _, _) = try Self.scene(seed: 2)
        var flipped = 0
        let step = TestShare.count(share: 4, whole: 1)
        for (number, name) in try scene.files().enumerated() {
            let whole = try #require(scene.place.contents(name))
            for index in stride(from: number % step, to: whole.count, by: step) {
                flipped += 1
                for mask in Self.masks(index) {
                    var bytes = whole
                    bytes[index] ^= mask
                    scene.place.tamper(name, bytes)
                    // Seldom with a new catalogue, which then has to be made.
                    let findings = try scene.findings(fresh: index % 16 == 0)
                    let isNamed = findings.map { $0.files.contains("\(name)") } ?? true
                    #expect(isNamed, "\(name), byte \(index) xor \(mask)")
                }
            }
            scene.place.tamper(name, whole)
        }
        #expect(try scene.findings(fresh: false)?.isEmpty == true)
        print("flipped bytes: \(flipped) in \(try scene.files().count) files")
    }

    private static func masks(_ index: Int) -> [UInt8] {
        TestShare.isWhole ? (0..<8).map { 1 << $0 } : [1 << (index % 8)]
    }

    @Test func eachFileThatIsCutShortIsFound() throws {
        let (scene, _, _) = try Self.scene(seed: 3)
        for name in try scene.files() {
            let whole = try #require(scene.place.contents(name))
            for count in [0, 1, 47, 48, whole.count / 2, whole.count - 33, whole.count - 1] {
                scene.place.tamper(name, Array(whole.prefix(count)))
                for fresh in [true, false] {
                    let findings = try scene.findings(fresh: fresh)
                    let isNamed = findings.map { $0.files.contains("\(name)") } ?? true
                    #expect(isNamed, "\(name), \(count) of \(whole.count) bytes")
                }
            }
            scene.place.tamper(name, whole + [0])
            let findings = try scene.findings(fresh: false)
            #expect(findings.map { $0.files.contains("\(name)") } ?? true, "\(name), one byte more")
            scene.place.tamper(name, whole)
        }
    }

    @Test(arguments: [VerifyDepth.structure, .everything])
    func aPackThatIsMissingHurtsThePathsThatNeedIt(_ depth: VerifyDepth) throws {
        let (scene, first, second) = try Self.scene(seed: 4)
        for name in try scene.place.list(.packs).map(\.name) {
            let whole = scene.place.contents(name)
            scene.place.tamper(name, nil)
            for fresh in [true, false] {
                let findings = try #require(try scene.findings(fresh: fresh, depth))
                #expect(!findings.isEmpty, "\(name)")
                let hurt = Set(findings.paths.map { $0.prefix(8) })
                #expect(hurt.isSubset(of: [first.shortID[...], second.shortID[...]]))
                #expect(!hurt.isEmpty, "\(name)")
            }
            scene.place.tamper(name, whole)
        }
    }

    @Test(arguments: [VerifyDepth.structure, .everything])
    func whatPruneTakesAwayMeanwhileIsNoDamage(_ depth: VerifyDepth) throws {
        let (made, first, second) = try Self.scene(seed: 10)
        // All is done on this thread.
        nonisolated(unsafe) let scene = made
        scene.place.tamper(ObjectName(.snapshots, first.id.hex), nil)
        let before = Set(try scene.files())
        let findings = try scene.findings(fresh: true, depth) {
            do {
                #expect(try scene.prune() > 0)
            } catch {
                Issue.record(error)
            }
        }
        #expect(findings?.isEmpty == true, "\(findings ?? [])")
        #expect(!Set(try scene.files()).isSuperset(of: before))
        _ = try scene.restore(second)
    }

    @Test(arguments: [VerifyDepth.structure, .everything])
    func aPackThatIsLostMeanwhileHurtsThePathsThatNeedIt(_ depth: VerifyDepth) throws {
        let (scene, _, second) = try Self.scene(seed: 11)
        let place = scene.place
        let packs = try place.list(.packs).map(\.name)
        let findings = try #require(
            try scene.findings(fresh: true, depth) {
                for pack in packs { place.tamper(pack, nil) }
            })
        #expect(findings.paths.contains { $0.hasPrefix(second.shortID) }, "\(findings)")
    }

    @Test(arguments: [VerifyDepth.structure, .everything])
    func aSegmentThatIsMissingHurtsTheStatesThatNeedIt(_ depth: VerifyDepth) throws {
        let (scene, first, second) = try Self.scene(seed: 5)
        var hurt: Set<Set<String>> = []
        for name in try scene.place.list(.segments).map(\.name) {
            let whole = scene.place.contents(name)
            scene.place.tamper(name, nil)
            hurt.insert(try #require(try scene.findings(fresh: false, depth)).paths)
            scene.place.tamper(name, whole)
        }
        // Without the change set the second state is lost, without the base both.
        let (one, two) = ("\(first.shortID) app.db", "\(second.shortID) app.db")
        #expect(hurt == [[two], [one, two]])
    }

    @Test func swappedAndForeignFilesAreFound() throws {
        let (scene, _, _) = try Self.scene(seed: 6)
        let (other, _, _) = try Self.scene(seed: 7)
        for folder in Folder.sealed {
            let names = try scene.place.list(folder).map(\.name).sorted()
            let (one, two) = (names[0], names[1])
            let (first, second) = (scene.place.contents(one), scene.place.contents(two))
            scene.place.tamper(one, second)
            scene.place.tamper(two, first)
            let swapped = try #require(try scene.findings(fresh: true))
            #expect(swapped.files.isSuperset(of: ["\(one)", "\(two)"]))
            scene.place.tamper(one, first)
            scene.place.tamper(two, second)

            let foreign = try #require(try other.place.list(folder).first?.name)
            scene.place.tamper(foreign, other.place.contents(foreign))
            let strange = ObjectName(folder, "README")
            scene.place.tamper(strange, [1, 2, 3])
            let found = try #require(try scene.findings(fresh: false))
            #expect(found.files.isSuperset(of: ["\(foreign)", "\(strange)"]))
            scene.place.tamper(foreign, nil)
            scene.place.tamper(strange, nil)
        }
        #expect(try scene.findings(fresh: false)?.isEmpty == true)
    }

    @Test func aHurtPieceIsNamedWithItsSnapshotAndPath() throws {
        let (scene, first, second) = try Self.scene(seed: 8)
        // The only data pack that the first snapshot has to itself holds 'a' and the base.
        let repository = try scene.open(fresh: true)
        try repository.refresh()
        let browser = SnapshotBrowser(repository)
        let path = FilePath(bytes: scene.source.bytes).appending("a")
        let node = try #require(try browser.node(at: path, in: first))
        guard case .file(let pieces, _) = node.content else {
            Issue.record("no file")
            return
        }
        let piece = pieces.entries[0].blob.id
        let place = try #require(try repository.locations(of: piece).first)
        let pack = try repository.pack(place.pack).name
        var bytes = try #require(scene.place.contents(pack))
        bytes[Int(place.entry.offset) + BlobHeader.size] ^= 1
        scene.place.tamper(pack, bytes)
        let findings = try #require(try scene.findings(fresh: false))
        #expect(findings.files == ["\(pack)"])
        #expect(findings.paths == ["\(first.shortID) a"])
        #expect(!findings.paths.contains("\(second.shortID) a"))
    }

    @Test(arguments: ["blob", "index", "header"])
    func aBlobIsHurtOnlyWhenNoCopyOfItIsWhole(_ part: String) throws {
        let scene = try SmallScene(seed: 9)
        let first = try scene.backUp()
        let packs = try scene.place.list(.packs).map(\.name)
        for pack in packs { try scene.place.create(ObjectName(.marks, pack.name), []) }
        let second = try scene.backUp()  // stores again what lies in marked packs only
        for pack in packs { scene.place.tamper(ObjectName(.marks, pack.name), nil) }
        let copies = try scene.place.list(.packs).map(\.name).filter { !packs.contains($0) }
        #expect(!copies.isEmpty)
        for pack in packs {
            var bytes = try #require(scene.place.contents(pack))
            let place = ["blob": PackFormat.headerSize + BlobHeader.size, "header": 20][part]
            bytes[place ?? bytes.count - 40] ^= 1
            scene.place.tamper(pack, bytes)
        }
        let findings = try #require(try scene.findings(fresh: false))
        #expect(findings.files == Set(packs.map { "\($0)" }))
        // The first may have a directory that has changed since, and was not stored again.
        #expect(!findings.paths.contains { $0.hasPrefix(second.shortID) }, "\(findings)")

        for copy in copies { scene.place.tamper(copy, nil) }
        let left = try #require(try scene.findings(fresh: false)).paths
        #expect(left.contains { $0.hasPrefix(first.shortID) } == (part != "index"), "\(left)")
    }
}
