// Finds databases beneath a directory, in two steps:
//
//     walk    any thread       directories and the status of files; opens no file
//     judge   capture thread   opens what nobody knows, and reads its first 100 bytes
//
// The steps are apart because closing any descriptor of a file drops this process's locks on it
// (fcntl(2)), also those that SQLite holds there: only the capture thread knows which files it has
// open, so only it may open others.

import Glibc
package import Platform

/// A file that may be a database, by its directory alone.
package struct FoundFile: Sendable {
    package let path: FilePath
    package let status: FileStatus
}

/// What lies beneath a directory.
package struct DatabaseSearch: Sendable {
    /// Directories inside each other.
    private static let depthLimit = 64
    /// What is looked at in one walk; a directory with more is not searched to its end.
    package static let entryLimit = 1_000_000
    private static let companions = ["-wal", "-shm", "-journal"].map { Array($0.utf8) }

    /// Regular files that are large enough, in the order of their paths.
    package private(set) var files: [FoundFile] = []
    /// The directory itself, and all beneath it.
    package private(set) var directories: [FilePath] = []
    /// Whether there is more than one walk looks at.
    package private(set) var isCut = false
    private var entries = 0

    /// Walks over a directory, follows no link, and stays on its filesystem. What vanishes or may
    /// not be read meanwhile is passed over: the next walk meets it again.
    ///
    /// - Parameter excluded: directories that are not entered.
    package init(beneath root: FilePath, excluding excluded: Set<FileIdentity> = []) {
        guard let status = DatabaseSearch.status(root), status.kind == .directory else { return }
        var open = [(path: root, depth: 0)]
        while let next = open.popLast(), !isCut {
            directories.append(next.path)
            for (path, found) in entries(of: next.path) {
                if found.kind == .regular {
                    files.append(FoundFile(path: path, status: found))
                } else if found.kind == .directory, found.device == status.device,
                    next.depth < DatabaseSearch.depthLimit,
                    !excluded.contains(FileIdentity(found))
                {
                    open.append((path, next.depth + 1))
                }
            }
        }
        files.sort { $0.path < $1.path }
    }

    private mutating func entries(of directory: FilePath) -> [(FilePath, FileStatus)] {
        var found: [(FilePath, FileStatus)] = []
        do {
            let descriptor = try Descriptor.open(
                directory, flags: O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
            for name in try Directory.names(in: descriptor, path: directory) {
                entries += 1
                guard entries <= DatabaseSearch.entryLimit else {
                    isCut = true
                    return found
                }
                if DatabaseSearch.companions.contains(where: name.ends) { continue }
                let path = directory.appending(name)
                if let status = DatabaseSearch.status(path) { found.append((path, status)) }
            }
        } catch {
            return found  // it vanished, or is not ours to read
        }
        return found
    }

    private static func status(_ path: FilePath) -> FileStatus? {
        do {
            return try FileStatus.of(path, followingLinks: false)
        } catch {
            return nil  // it vanished
        }
    }

    /// Whether a name is that of a log or a journal beside a database.
    package static func isCompanion(_ name: [UInt8]) -> Bool {
        companions.contains(where: name.ends)
    }
}

extension DatabaseDetector {
    /// Opens a file, reads its first bytes and closes it.
    ///
    /// Not to be used in a process that has the file open through SQLite: closing drops its locks.
    package static func examine(_ path: FilePath) throws(SystemError) -> Answer {
        let file = try Descriptor.open(path, flags: O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
        return try examine(file)
    }

    static func examine(_ file: borrowing Descriptor) throws(SystemError) -> Answer {
        try withUnsafeTemporaryAllocation(byteCount: DatabaseHeader.size, alignment: 8) {
            (buffer) throws(SystemError) in
            let count = try file.read(into: buffer, at: 0)
            return examine(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
        }
    }
}

extension [UInt8] {
    fileprivate func ends(with end: [UInt8]) -> Bool {
        count >= end.count && suffix(end.count).elementsEqual(end)
    }
}
