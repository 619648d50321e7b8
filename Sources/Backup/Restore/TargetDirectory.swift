import Glibc
import Platform

/// A directory below the target, open, so that nothing that happens to its path leads elsewhere.
///
/// Every step goes from an open directory to a name in it and follows no link; so a restore cannot
/// leave its target, whatever the repository says and whoever moves things meanwhile.
typealias TargetDirectory = OpenDirectory

extension TargetDirectory {
    /// The target itself; made, with its parents, where it is missing.
    static func target(_ path: FilePath, create: Bool) throws -> TargetDirectory? {
        if create { try makeWithParents(path) }
        do {
            return TargetDirectory(
                try Descriptor.open(path, flags: O_RDONLY | O_DIRECTORY), path)
        } catch {
            guard error.errno == .noSuchFile, !create else { throw error }
            return nil
        }
    }

    private static func makeWithParents(_ path: FilePath) throws {
        do {
            _ = try FileStatus.of(path, followingLinks: true)
        } catch {
            guard error.errno == .noSuchFile else { throw error }
            try makeWithParents(path.parent)
            let parent = try Descriptor.open(path.parent, flags: O_RDONLY | O_DIRECTORY)
            try FileTree.makeDirectory(path.lastComponent, in: parent, permissions: 0o700)
        }
    }

    /// The directories of a path that are not there, innermost first.
    static func missing(_ path: FilePath) throws -> [FilePath] {
        var missing: [FilePath] = []
        var path = path
        while try FileStatus.ofExisting(path) == nil, path.parent != path {
            missing.append(path)
            path = path.parent
        }
        return missing
    }

    /// Takes directories away that were made and are empty.
    static func remove(_ made: [FilePath]) throws {
        for path in made { try LinuxDisk().removeDirectory(path) }
    }

    /// What a name stands for, or nil.
    func status(_ name: [UInt8]) throws -> FileStatus? {
        do {
            return try FileStatus.of(name, in: descriptor)
        } catch {
            guard error.errno == .noSuchFile else { throw error }
            return nil
        }
    }

    /// Whether this directory, or one it lies in, is one of some; found by the way up, so that no
    /// link in the path hides it.
    func lies(in directories: Set<FileIdentity>) throws -> Bool {
        var directory = self
        var last: FileIdentity?
        while true {
            let found = try directory.identity()
            guard !directories.contains(found) else { return true }
            guard found != last else { return false }
            last = found
            directory = try directory.above()
        }
    }

    /// Removes a name and all below it, but directories that are to be spared and the way to them.
    ///
    /// - Parameter opensClosed: also from directories of ours that we may not write in.
    /// - Returns: whether all of it is gone.
    @discardableResult
    func remove(
        _ name: [UInt8], sparing spared: Set<FileIdentity> = [], opensClosed: Bool = false
    ) throws -> Bool {
        guard let status = try status(name) else { return true }
        guard status.kind == .directory else {
            try FileTree.remove(name, in: descriptor)
            return true
        }
        guard !spared.contains(FileIdentity(status)) else { return false }
        if opensClosed { try makeWritable(name, status) }
        var removal = try TreeRemoval(of: open(name), sparing: spared, opensClosed: opensClosed)
        let isEmpty = try removal.run()
        if isEmpty { try FileTree.removeDirectory(name, in: descriptor) }
        return isEmpty
    }

    /// Lets us into a directory of ours whose mode keeps us out, or from writing there.
    func makeWritable(_ name: [UInt8], _ status: FileStatus) throws(SystemError) {
        guard geteuid() != 0, status.userID == geteuid(), status.permissions & 0o700 != 0o700 else {
            return
        }
        try FileTree.setPermissions(name, in: descriptor, status.permissions | 0o700)
    }
}

/// Empties a directory, however deep what lies in it.
private struct TreeRemoval {
    private struct Level {
        let name: [UInt8]
        var children: ArraySlice<[UInt8]>
        var isEmpty = true
    }

    private let spared: Set<FileIdentity>
    private let opensClosed: Bool
    private var trail: DirectoryTrail
    private var levels: [Level] = []

    init(
        of directory: OpenDirectory, sparing spared: Set<FileIdentity>, opensClosed: Bool
    ) throws {
        self.spared = spared
        self.opensClosed = opensClosed
        trail = DirectoryTrail(from: directory)
        levels = [try TreeRemoval.level([], directory)]
    }

    private static func level(_ name: [UInt8], _ directory: OpenDirectory) throws -> Level {
        let names = try Directory.names(in: directory.descriptor, path: directory.path)
        return Level(name: name, children: names[...])
    }

    /// Answers whether all is gone.
    mutating func run() throws -> Bool {
        while true {
            if let name = levels[levels.count - 1].children.popFirst() {
                try remove(name, in: trail.innermost())
                continue
            }
            let left = levels.removeLast()
            guard !levels.isEmpty else { return left.isEmpty }
            trail.leave(to: levels.count - 1)
            if left.isEmpty {
                try FileTree.removeDirectory(left.name, in: trail.innermost().descriptor)
            } else {
                levels[levels.count - 1].isEmpty = false
            }
        }
    }

    private mutating func remove(_ name: [UInt8], in directory: OpenDirectory) throws {
        guard let status = try directory.status(name) else { return }
        guard status.kind == .directory else {
            return try FileTree.remove(name, in: directory.descriptor)
        }
        guard !spared.contains(FileIdentity(status)) else {
            levels[levels.count - 1].isEmpty = false
            return
        }
        if opensClosed { try directory.makeWritable(name, status) }
        let inner = try directory.open(name)
        levels.append(try TreeRemoval.level(name, inner))
        try trail.enter(inner, as: name)
    }
}
