import Backup
import Platform
import Testing

/// What a restore does once all is written: it makes that durable, or says that it could not.
@Suite struct RestoreSyncTests {
    @Test func fileSystemIsSyncedOnceAndWhenAllIsThere() throws {
        let scene = try SmallScene(seed: 1)
        let snapshot = try scene.backUp()
        var found: [FileStatus] = []
        let (counts, target) = try scene.restore(snapshot) { directory in
            found.append(try FileStatus.of(Array("sub".utf8), in: directory))
        }
        #expect(counts.problems == 0)
        let source = try FileStatus.of(scene.source.appending("sub"), followingLinks: false)
        #expect(found.map(\.modified) == [source.modified], "\(target)")
    }

    @Test func syncThatFailsIsAProblem() throws {
        let scene = try SmallScene(seed: 2)
        let snapshot = try scene.backUp()
        let (counts, _) = try scene.restore(snapshot) { directory in
            throw SystemError("syncfs", directory.path, .inputOutput)
        }
        #expect(counts.problems == 1)
    }

    @Test func syncThatFindsNoRoomEndsTheRestore() throws {
        let scene = try SmallScene(seed: 3)
        let snapshot = try scene.backUp()
        #expect(throws: SystemError.self) {
            try scene.restore(snapshot) { directory in
                throw SystemError("syncfs", directory.path, .noSpace)
            }
        }
    }
}
