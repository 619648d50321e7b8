import Glibc

/// What an entry of a directory is. The numbers are part of stored formats.
package enum FileKind: UInt8, Sendable, CaseIterable {
    case regular = 1
    case directory = 2
    case symbolicLink = 3
    case fifo = 4
    case socket = 5
    case characterDevice = 6
    case blockDevice = 7

    /// The kind bits of a mode. Source: inode(7).
    var mode: mode_t {
        switch self {
        case .regular: S_IFREG
        case .directory: S_IFDIR
        case .symbolicLink: S_IFLNK
        case .fifo: S_IFIFO
        case .socket: S_IFSOCK
        case .characterDevice: S_IFCHR
        case .blockDevice: S_IFBLK
        }
    }

    init?(mode: mode_t) {
        switch mode & S_IFMT {
        case S_IFREG: self = .regular
        case S_IFDIR: self = .directory
        case S_IFLNK: self = .symbolicLink
        case S_IFIFO: self = .fifo
        case S_IFSOCK: self = .socket
        case S_IFCHR: self = .characterDevice
        case S_IFBLK: self = .blockDevice
        default: return nil
        }
    }
}

/// What the system says of a file. Source: stat(2).
package struct FileStatus: Hashable, Sendable {
    package var kind: FileKind
    /// The lower twelve bits of the mode.
    package var permissions: UInt32
    /// How many names the file has.
    package var links: UInt64
    package var userID: UInt32
    package var groupID: UInt32
    /// Bytes, holes included.
    package var size: UInt64
    package var device: UInt64
    package var inode: UInt64
    package var modified: Timestamp
    package var changed: Timestamp
    /// The number of the device that this file stands for.
    package var specialDevice: UInt64
    /// Of what lies at a path, symbolic links followed; nil where nothing does.
    package static func ofExisting(_ path: FilePath) throws(SystemError) -> FileStatus? {
        do {
            return try of(path, followingLinks: true)
        } catch {
            guard error.errno == .noSuchFile || error.errno == .notDirectory else { throw error }
            return nil
        }
    }

    /// Bytes of disk it takes, in steps of 512.
    package var allocated: UInt64

    init(_ buffer: stat, _ path: @autoclosure () -> FilePath?) throws(SystemError) {
        guard let kind = FileKind(mode: buffer.st_mode) else {
            throw SystemError("stat", path(), .invalidArgument)
        }
        self.kind = kind
        permissions = UInt32(buffer.st_mode & 0o7777)
        links = UInt64(buffer.st_nlink)
        userID = UInt32(buffer.st_uid)
        groupID = UInt32(buffer.st_gid)
        size = UInt64(clamping: buffer.st_size)
        device = UInt64(buffer.st_dev)
        inode = UInt64(buffer.st_ino)
        modified = Timestamp.of(buffer.st_mtim)
        changed = Timestamp.of(buffer.st_ctim)
        specialDevice = UInt64(buffer.st_rdev)
        allocated = UInt64(clamping: buffer.st_blocks) * 512
    }

    package static func of(
        _ path: FilePath, followingLinks: Bool
    ) throws(SystemError) -> FileStatus {
        var buffer = stat()
        _ = try path.withCString { (name) throws(SystemError) -> CInt in
            try systemCall("stat", path) {
                fstatat(AT_FDCWD, name, &buffer, followingLinks ? 0 : AT_SYMLINK_NOFOLLOW)
            }
        }
        return try FileStatus(buffer, path)
    }

    /// Never follows a link at the name.
    package static func of(
        _ name: [UInt8], in directory: borrowing Descriptor
    ) throws(SystemError) -> FileStatus {
        var buffer = stat()
        _ = try systemCall("stat", name, in: directory) {
            fstatat($0, $1, &buffer, AT_SYMLINK_NOFOLLOW)
        }
        guard FileKind(mode: buffer.st_mode) != nil else {
            throw SystemError("stat", directory.path(of: name), .invalidArgument)
        }
        return try FileStatus(buffer, nil)
    }
}
