import Glibc
import Platform
import Testing

/// Walks far down keep few directories open, and come back to none but those they came from.
struct DirectoryTrailTests {
    private let directory: TemporaryDirectory
    private let root: OpenDirectory
    private static let depth = DirectoryTrail.mostOpen + 10

    /// Directories `d/d/d/…` in one another, the first in a directory of its own.
    init() throws {
        directory = try TemporaryDirectory()
        try FileTree.makeDirectory("root".bytes, in: directory.descriptor)
        root = OpenDirectory(
            try Descriptor.open(
                "root".bytes, in: directory.descriptor, flags: O_RDONLY | O_DIRECTORY),
            directory.path.appending("root"))
        var inner = root
        for _ in 0..<DirectoryTrailTests.depth {
            try FileTree.makeDirectory("d".bytes, in: inner.descriptor)
            inner = try inner.open("d".bytes)
        }
    }

    /// A trail to the innermost, and who each directory on the way was.
    private func trail(_ root: OpenDirectory) throws -> (DirectoryTrail, [FileIdentity]) {
        var trail = DirectoryTrail(from: root)
        var met = [try root.identity()]
        for _ in 0..<DirectoryTrailTests.depth {
            let inner = try trail.innermost().open("d".bytes)
            try trail.enter(inner, as: "d".bytes)
            met.append(try inner.identity())
        }
        return (trail, met)
    }

    private func move(_ levels: Int, to name: String) throws {
        let steps = String(repeating: "/d", count: levels)
        let from = directory.path.bytes + "/root".bytes + steps.bytes
        try #require(
            rename(String(decoding: from, as: UTF8.self), "\(directory.path)/\(name)") == 0)
    }

    @Test func wayBackMeetsEachDirectoryAgain() throws {
        var (trail, met) = try trail(root)
        for depth in (0..<DirectoryTrailTests.depth).reversed() {
            trail.leave(to: depth)
            #expect(trail.depth == depth)
            #expect(try trail.innermost().identity() == met[depth])
        }
    }

    @Test func wayBackMaySkipMany() throws {
        for depth in [0, 1, 5, 9, 40, DirectoryTrailTests.depth] {
            var (trail, met) = try trail(root)
            trail.leave(to: depth)
            #expect(try trail.innermost().identity() == met[depth])
        }
    }

    @Test func directoryWhoseInnerOneWasMovedIsFoundFromAbove() throws {
        var (trail, met) = try trail(root)
        try move(6, to: "elsewhere")
        trail.leave(to: 5)
        #expect(try trail.innermost().identity() == met[5])
    }

    @Test func directoryThatWasMovedIsAnErrorAndThoseAboveItAreNot() throws {
        var (trail, met) = try trail(root)
        try move(6, to: "elsewhere")
        try move(5, to: "other")
        trail.leave(to: 5)
        #expect(try errno { _ = try trail.innermost() } == .noSuchFile)
        trail.leave(to: 4)
        #expect(try trail.innermost().identity() == met[4])
    }

    @Test func anotherDirectoryOfTheNameIsNotTakenForIt() throws {
        var (trail, _) = try trail(root)
        try move(6, to: "elsewhere")
        try move(5, to: "other")
        let above = "\(directory.path)/root/d/d/d/d/d"
        for path in [above, above + "/d"] { try #require(mkdir(path, 0o700) == 0) }
        trail.leave(to: 6)
        #expect(try errno { _ = try trail.innermost() } == nil)
        trail.leave(to: 5)
        #expect(try errno { _ = try trail.innermost() } == .staleHandle)
    }

    @Test func pathOfADirectoryOpenedAgainIsItsOwn() throws {
        var (trail, _) = try trail(root)
        trail.leave(to: 2)
        #expect(try trail.innermost().path == root.path.appending("d").appending("d"))
    }
}
