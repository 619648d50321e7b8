import CLinux
import Glibc

/// The file systems of this machine.
package struct LinuxDisk: Disk {
    package init() {}

    /// Source: mkdir(2).
    package func makeDirectory(_ path: FilePath) throws(SystemError) {
        try call("mkdir", path) { mkdir($0, 0o700) }
    }

    package func entries(of directory: FilePath) throws(SystemError) -> [DiskEntry] {
        let descriptor = try Descriptor.open(directory, flags: O_RDONLY | O_DIRECTORY)
        var entries: [DiskEntry] = []
        for name in try Directory.names(in: descriptor, path: directory) {
            guard let text = String(validating: name, as: UTF8.self) else { continue }
            do {
                let status = try FileStatus.of(name, in: descriptor)
                entries.append(DiskEntry(name: text, kind: status.kind, size: status.size))
            } catch let error where error.errno == .noSuchFile {
                // Gone since the names were read.
                continue
            }
        }
        return entries
    }

    package func entry(at path: FilePath) throws(SystemError) -> DiskEntry? {
        do {
            let status = try FileStatus.of(path, followingLinks: false)
            let name = String(decoding: path.lastComponent, as: UTF8.self)
            return DiskEntry(name: name, kind: status.kind, size: status.size)
        } catch let error where error.errno == .noSuchFile {
            return nil
        }
    }

    package func create(_ path: FilePath) throws(SystemError) -> any DiskWriter {
        LinuxDiskWriter(
            try Descriptor.open(path, flags: O_WRONLY | O_CREAT | O_EXCL, mode: 0o600), path)
    }

    package func open(_ path: FilePath) throws(SystemError) -> any DiskReader {
        // Without O_NONBLOCK a FIFO that someone put there would hold us up for ever.
        let descriptor = try Descriptor.open(path, flags: O_RDONLY | O_NONBLOCK)
        let status = try descriptor.status()
        guard status.kind == .regular else {
            throw SystemError(
                "open", path, status.kind == .directory ? .isDirectory : .invalidArgument)
        }
        return LinuxDiskReader(descriptor, size: status.size)
    }

    /// Source: rename(2).
    package func rename(_ from: FilePath, to: FilePath) throws(SystemError) {
        try call("rename", from, to) { Glibc.rename($0, $1) }
    }

    /// Source: renameat2(2), RENAME_NOREPLACE.
    package func renameExclusively(_ from: FilePath, to: FilePath) throws(SystemError) {
        do {
            try call("rename", from, to) { hold_rename_exclusively(AT_FDCWD, $0, AT_FDCWD, $1) }
        } catch let error where [.invalidArgument, .noSystemCall].contains(error.errno) {
            try linkExclusively(from, to, instead: error)
        }
    }

    /// Network file systems know no RENAME_NOREPLACE; a link is as exclusive, and a crash before
    /// the old name is gone leaves two names of the same file.
    private func linkExclusively(
        _ from: FilePath, _ to: FilePath, instead failure: SystemError
    ) throws(SystemError) {
        do {
            try call("link", from, to) { link($0, $1) }
        } catch let error where error.errno == .fileExists {
            throw error
        } catch {
            throw failure
        }
        try remove(from)
    }

    /// Source: unlink(2).
    package func remove(_ path: FilePath) throws(SystemError) {
        try call("unlink", path) { unlink($0) }
    }

    /// Source: rmdir(2).
    package func removeDirectory(_ path: FilePath) throws(SystemError) {
        try call("rmdir", path) { rmdir($0) }
    }

    package func syncDirectory(_ path: FilePath) throws(SystemError) {
        let descriptor = try Descriptor.open(path, flags: O_RDONLY | O_DIRECTORY)
        do {
            try descriptor.sync()
        } catch let error where [.invalidArgument, .notSupported].contains(error.errno) {
            // Some network file systems have no such call; their names are durable when made.
            return
        }
    }

    /// Source: flock(2). It belongs to the open file: a second opening is refused in this process
    /// too.
    package func lock(_ path: FilePath) throws(SystemError) -> any DiskLock {
        let file = try Descriptor.open(path, flags: O_RDWR | O_CREAT, mode: 0o600)
        _ = try systemCall("lock", path) { flock(file.raw, LOCK_EX | LOCK_NB) }
        return LinuxDiskLock(file)
    }

    private func call(
        _ operation: String, _ path: FilePath, _ body: (UnsafePointer<CChar>) -> CInt
    ) throws(SystemError) {
        _ = try path.withCString { (name) throws(SystemError) in
            try systemCall(operation, path) { body(name) }
        }
    }

    private func call(
        _ operation: String, _ path: FilePath, _ second: FilePath,
        _ body: (UnsafePointer<CChar>, UnsafePointer<CChar>) -> CInt
    ) throws(SystemError) {
        _ = try path.withCString { (name) throws(SystemError) in
            try second.withCString { (other) throws(SystemError) in
                try systemCall(operation, path) { body(name, other) }
            }
        }
    }
}
