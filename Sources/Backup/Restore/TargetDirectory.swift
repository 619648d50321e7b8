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

    /// Removes a name and all below it.
    func remove(_ name: [UInt8]) throws {
        guard let status = try status(name) else { return }
        guard status.kind == .directory else {
            return try FileTree.remove(name, in: descriptor)
        }
        let inner = try open(name)
        for child in try Directory.names(in: inner.descriptor, path: inner.path) {
            try inner.remove(child)
        }
        try FileTree.removeDirectory(name, in: descriptor)
    }
}
