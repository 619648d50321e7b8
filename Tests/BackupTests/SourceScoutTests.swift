import Backup
import Glibc
import Platform
import Repository
import Simulation
import Testing

/// What goes ahead of the walk changes how long a backup takes, and nothing else.
@Suite struct SourceScoutTests {
    private static func content(
        _ name: String, of snapshot: StoredSnapshot, _ scene: SmallScene
    ) throws -> [UInt8] {
        let repository = try scene.open(fresh: true)
        try repository.refresh()
        var bytes: [UInt8] = []
        try FileDump(repository).run(scene.source.appending(relative: name), of: snapshot) {
            bytes += $0
        }
        return bytes
    }

    private static func scout(_ scene: SmallScene) -> SourceScout {
        let scout = SourceScout([scene.source], selection: .everything, staysOnFilesystem: false)
        SystemClock().sleep(nanoseconds: 50_000_000)
        return scout
    }

    @Test func aBackupWithAScoutHasTheSameTree() throws {
        let scene = try SmallScene(seed: 1)
        let before = try scene.backUp()
        let scouted = try scene.backUp(scout: Self.scout(scene))
        #expect(scouted.snapshot.root == before.snapshot.root)
        #expect(scouted.snapshot.totals.files == before.snapshot.totals.files)
    }

    @Test func whatIsNewOrChangedWhenItLooksIsSaved() throws {
        let scene = try SmallScene(seed: 2)
        _ = try scene.backUp()
        try ScratchFolder.write([4, 5, 6, 7], to: scene.source.appending(relative: "sub/b"))
        try ScratchFolder.write([8], to: scene.source.appending(relative: "sub/c"))
        let snapshot = try scene.backUp(scout: Self.scout(scene))
        #expect(try Self.content("sub/b", of: snapshot, scene) == [4, 5, 6, 7])
        #expect(try Self.content("sub/c", of: snapshot, scene) == [8])
    }

    @Test func whatComesAndGoesAfterItLookedIsSeen() throws {
        let scene = try SmallScene(seed: 3)
        _ = try scene.backUp()
        let scout = Self.scout(scene)
        try ScratchFolder.write([9], to: scene.source.appending(relative: "sub/later"))
        _ = scene.source.appending("a").withCString { unlink($0) }
        let snapshot = try scene.backUp(scout: scout)
        #expect(try Self.content("sub/later", of: snapshot, scene) == [9])
        let repository = try scene.open(fresh: true)
        try repository.refresh()
        #expect(throws: (any Error).self) {
            try SnapshotBrowser(repository).node(at: scene.source.appending("a"), in: snapshot)
        }
    }

    @Test func whatItSawMoreThanASecondAgoIsLookedAtAgain() throws {
        let scene = try SmallScene(seed: 4)
        _ = try scene.backUp()
        let scout = Self.scout(scene)
        SystemClock().sleep(nanoseconds: 1_000_000_000)
        try ScratchFolder.write([10], to: scene.source.appending(relative: "sub/b"))
        let snapshot = try scene.backUp(scout: scout)
        #expect(try Self.content("sub/b", of: snapshot, scene) == [10])
    }

    @Test func stoppedItEndsAndTheWalkGoesOnAlone() throws {
        let scene = try SmallScene(seed: 5)
        let before = try scene.backUp()
        let scout = Self.scout(scene)
        scout.stop()
        #expect(try scene.backUp(scout: scout).snapshot.root == before.snapshot.root)
    }
}
