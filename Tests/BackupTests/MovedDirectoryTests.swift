import Backup
import Glibc
import Platform
import Repository
import Simulation
import Synchronization
import Testing

/// Directories that are moved while a walk is far below them, so far that it has closed them.
@Suite struct MovedDirectoryTests {
    private static let depth = DirectoryTrail.mostOpen + 20

    /// A tree with a file `z` in each directory, which comes after what lies below.
    private func scene() throws -> SmallScene {
        let scene = try SmallScene(seed: 11)
        for level in 1...MovedDirectoryTests.depth {
            let path = MovedDirectoryTests.directory(level, in: scene.source)
            try LinuxDisk().makeDirectory(path)
            try ScratchFolder.write([UInt8(level)], to: path.appending("z"))
        }
        return scene
    }

    private static func directory(_ level: Int, in tree: FilePath) -> FilePath {
        (0..<level).reduce(tree) { path, _ in path.appending("d") }
    }

    /// Takes two directories away, the upper one from where it is and the lower one out of it.
    private static func tear(_ tree: FilePath, to folder: FilePath) {
        for (level, name) in [(10, "lower"), (9, "upper")] {
            let from = directory(level, in: tree).description
            guard rename(from, folder.appending(name).description) == 0 else { return }
        }
    }

    private static let innermost = [UInt8](String(repeating: "/d", count: depth).utf8) + "/z".utf8

    @Test func backupNamesTheDirectoryThatIsGoneAndSavesTheRest() throws {
        let scene = try scene()
        let problems = Mutex<[FilePath]>([])
        let (source, folder) = (scene.source, scene.source.parent)
        let snapshot = try scene.backUp { notice in
            if case .item(_, let path, _, _) = notice,
                path.bytes == source.bytes + MovedDirectoryTests.innermost
            {
                MovedDirectoryTests.tear(source, to: folder)
            }
            if case .problem(let path, _, _) = notice { problems.withLock { $0.append(path) } }
        }
        let gone = MovedDirectoryTests.directory(9, in: source)
        #expect(problems.withLock { $0 } == [gone])
        let browser = SnapshotBrowser(try scene.open(fresh: false))
        for level in [1, 8, 10, MovedDirectoryTests.depth] {
            let path = MovedDirectoryTests.directory(level, in: source).appending("z")
            #expect(try browser.node(at: path, in: snapshot)?.kind == .regular)
        }
        guard case .directory(_, let complete) = try browser.node(at: gone, in: snapshot)?.content
        else {
            Issue.record("no directory")
            return
        }
        #expect(!complete)
    }

    @Test func restoreNamesTheDirectoryThatIsGoneAndWritesNothingIntoIt() throws {
        let scene = try scene()
        let snapshot = try scene.backUp()
        let problems = Mutex<[FilePath]>([])
        let folder = scene.source.parent
        let (_, target) = try scene.restore(
            snapshot,
            hearing: { notice in
                if case .item(.restored, let path, _) = notice,
                    path.bytes.suffix(MovedDirectoryTests.innermost.count)
                        == MovedDirectoryTests.innermost[...]
                {
                    let length = path.bytes.count - MovedDirectoryTests.innermost.count
                    MovedDirectoryTests.tear(
                        FilePath(bytes: Array(path.bytes.prefix(length))), to: folder)
                }
                if case .problem(let path, _, _) = notice { problems.withLock { $0.append(path) } }
            })
        #expect(problems.withLock { $0 }.first == MovedDirectoryTests.directory(9, in: target))
        #expect(access(folder.appending("lower").appending("z").description, F_OK) == 0)
        #expect(access(folder.appending("upper").appending("z").description, F_OK) != 0)
        let above = MovedDirectoryTests.directory(8, in: target).appending("z")
        #expect(access(above.description, F_OK) == 0)
    }
}
