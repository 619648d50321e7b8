import Glibc
import Platform

/// A directory below the target, open, so that nothing that happens to its path leads elsewhere.
///
/// Every step goes from an open directory to a name in it and follows no link; so a restore cannot
/// leave its target, whatever the repository says and whoever moves things meanwhile.
final class TargetDirectory: Sendable {
    let descriptor: Descriptor
    let path: FilePath

    private init(_ descriptor: consuming Descriptor, _ path: FilePath) {
        self.descriptor = descriptor
        self.path = path
    }

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

    /// A directory in this one; throws where the name is a link or no directory.
    func open(_ name: [UInt8]) throws -> TargetDirectory {
        let opened = try Descriptor.open(
            name, in: descriptor, flags: O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
        return TargetDirectory(opened, path.appending(name))
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
        var way = path
        var last: FileIdentity?
        while true {
            let found = FileIdentity(try FileStatus.of(way, followingLinks: true))
            guard !directories.contains(found) else { return true }
            guard found != last else { return false }
            last = found
            way = FilePath(bytes: way.bytes + Array("/..".utf8))
        }
    }

    /// Removes a name and all below it, but directories that are to be spared and the way to them.
    ///
    /// - Returns: whether all of it is gone.
    @discardableResult
    func remove(_ name: [UInt8], sparing spared: Set<FileIdentity> = []) throws -> Bool {
        guard let status = try status(name) else { return true }
        guard status.kind == .directory else {
            try FileTree.remove(name, in: descriptor)
            return true
        }
        guard !spared.contains(FileIdentity(status)) else { return false }
        let inner = try open(name)
        var isEmpty = true
        for child in try Directory.names(in: inner.descriptor, path: inner.path) {
            if try !inner.remove(child, sparing: spared) { isEmpty = false }
        }
        if isEmpty { try FileTree.removeDirectory(name, in: descriptor) }
        return isEmpty
    }
}
