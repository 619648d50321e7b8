import CLinux
import Glibc

/// Owns an open file descriptor: closes it at the end of its life.
package struct Descriptor: ~Copyable, Sendable {
    package private(set) var raw: CInt
    /// Where it was opened, for messages.
    package let path: FilePath?

    /// Takes over a descriptor that nobody else will close.
    package init(owning raw: CInt, path: FilePath? = nil) {
        self.raw = raw
        self.path = path
    }

    deinit {
        // Closed by then, or nobody asks any more whether closing failed.
        if raw >= 0 { _ = Glibc.close(raw) }
    }

    /// Closes, and reports a failure to write that the system kept until now.
    ///
    /// An interrupted close has closed: it is neither repeated nor an error. Source: close(2).
    package consuming func close() throws(SystemError) {
        let result = Glibc.close(raw)
        let failure = Errno.current
        raw = -1
        if result != 0, failure != .interrupted { throw SystemError("close", path, failure) }
    }

    /// Hands the descriptor over to someone who will close it.
    package consuming func release() -> CInt {
        let released = raw
        raw = -1
        return released
    }

    /// The path of a name in this directory, for messages.
    func path(of name: [UInt8]) -> FilePath {
        path?.appending(name) ?? FilePath(bytes: name)
    }
}

extension Descriptor {
    /// The flag that leaves a file's time of access; only its owner may use it. Source: open(2).
    package static let withoutAccessTime = HOLD_O_NOATIME

    /// Opens by path; `O_CLOEXEC` is added. `mode` counts with `O_CREAT`. Source: open(2).
    package static func open(
        _ path: FilePath, flags: CInt, mode: UInt32 = 0o600
    ) throws(SystemError) -> Descriptor {
        let raw = try path.withCString { (name) throws(SystemError) -> CInt in
            try systemCall("open", path) { hold_open(name, flags | O_CLOEXEC, mode) }
        }
        return Descriptor(owning: raw, path: path)
    }

    /// Opens one name in an open directory; `O_CLOEXEC` is added.
    ///
    /// A name that holds `/` or NUL, or is `..`, is refused with EINVAL. Source: openat(2).
    package static func open(
        _ name: [UInt8], in directory: borrowing Descriptor, flags: CInt, mode: UInt32 = 0o600
    ) throws(SystemError) -> Descriptor {
        let raw = try systemCall("open", name, in: directory) {
            hold_openat($0, $1, flags | O_CLOEXEC, mode)
        }
        return Descriptor(owning: raw, path: directory.path(of: name))
    }

    /// Opens the directory in which an open one lies. Source: openat(2), `..`.
    package static func openAbove(
        _ directory: borrowing Descriptor
    ) throws(SystemError) -> Descriptor {
        let raw = directory.raw
        let path = directory.path?.parent
        let opened = try systemCall("open", path) {
            hold_openat(raw, "..", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0)
        }
        return Descriptor(owning: opened, path: path)
    }

    /// A file without a name in a directory, gone once it is closed. Source: O_TMPFILE, open(2).
    package static func openNameless(in directory: FilePath) throws(SystemError) -> Descriptor {
        do {
            return try open(directory, flags: O_RDWR | HOLD_O_TMPFILE, mode: 0o600)
        } catch {
            guard error.errno == .notSupported || error.errno == .isDirectory else { throw error }
        }
        // Filesystems without O_TMPFILE get a name for a moment.
        let number = SystemRandomness().bytes(8).map(String.init).joined()
        let name = directory.appending(".nameless-" + number)
        let file = try open(name, flags: O_RDWR | O_CREAT | O_EXCL, mode: 0o600)
        try LinuxDisk().remove(name)
        return file
    }

    /// A second descriptor of the same open file, as of standard input. Source: fcntl(2).
    package static func duplicate(of raw: CInt) throws(SystemError) -> Descriptor {
        Descriptor(owning: try systemCall("dup", nil) { hold_duplicate(raw) })
    }

    /// Makes data and size durable, but no name in any directory. Source: fsync(2).
    package func sync() throws(SystemError) {
        _ = try systemCall("fsync", path) { fsync(raw) }
    }

    /// Makes everything on the file system durable, and fails where it lost anything since this
    /// descriptor was opened; before Linux 5.8 it does not tell. Source: syncfs(2).
    package func syncFileSystem() throws(SystemError) {
        _ = try systemCall("syncfs", path) { hold_syncfs(raw) }
    }

    /// Cuts or extends (with a hole) to a size in bytes. Source: ftruncate(2).
    package func truncate(to size: UInt64) throws(SystemError) {
        _ = try systemCall("truncate", path) { ftruncate(raw, off_t(clamping: size)) }
    }

    /// Source: fstat(2).
    package func status() throws(SystemError) -> FileStatus {
        var buffer = stat()
        _ = try systemCall("stat", path) { fstat(raw, &buffer) }
        return try FileStatus(buffer, path)
    }

    /// Where the first data at or after an offset begins; nil when only a hole is left, or nothing.
    ///
    /// It moves the position that sequential reads go on from. Source: SEEK_DATA, lseek(2).
    package func nextData(from offset: UInt64) throws(SystemError) -> UInt64? {
        try seek(to: offset, HOLD_SEEK_DATA)
    }

    /// Where the first hole at or after an offset begins, the end counting as one; nil past it.
    ///
    /// It moves the position that sequential reads go on from. Source: SEEK_HOLE, lseek(2).
    package func nextHole(from offset: UInt64) throws(SystemError) -> UInt64? {
        try seek(to: offset, HOLD_SEEK_HOLE)
    }

    private func seek(to offset: UInt64, _ whence: CInt) throws(SystemError) -> UInt64? {
        do {
            let start = off_t(clamping: offset)
            return UInt64(try systemCall("seek", path) { lseek(raw, start, whence) })
        } catch let error where error.errno == .noSuchDeviceOrAddress {
            return nil
        }
    }
}
