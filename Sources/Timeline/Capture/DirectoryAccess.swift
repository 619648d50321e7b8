import CLinux
import Glibc
import Platform

/// Who can put files beside a database: what lies there as its journal is played into it, and names
/// a further file that SQLite removes.
enum DirectoryAccess {
    /// Whether nobody but root and a user can place, replace or move away what lies at a path.
    ///
    /// - Parameter path: absolute, without symbolic links.
    static func belongs(_ path: FilePath, to user: UInt32) -> Bool {
        var directory = path.parent
        guard isClosed(directory, to: user, ownNamesSuffice: false) else { return false }
        while !directory.components.isEmpty {
            directory = directory.parent
            guard isClosed(directory, to: user, ownNamesSuffice: true) else { return false }
        }
        return true
    }

    /// - Parameter ownNamesSuffice: whether others may make names of their own in it, as in `/tmp`,
    ///   as long as they cannot touch those of root and the user.
    private static func isClosed(
        _ directory: FilePath, to user: UInt32, ownNamesSuffice: Bool
    ) -> Bool {
        guard let status = try? FileStatus.of(directory, followingLinks: false),
            status.kind == .directory, status.userID == 0 || status.userID == user
        else { return false }
        let isSticky = status.permissions & 0o1000 != 0
        return !isShared(directory, status) || ownNamesSuffice && isSticky
    }

    /// Whether others than the owner may write; root's group, and the group that bears its only
    /// member's number, are no others.
    private static func isShared(_ directory: FilePath, _ status: FileStatus) -> Bool {
        if status.permissions & 0o002 != 0 { return true }
        guard status.permissions & 0o020 != 0 else { return false }
        let isPrivate = status.groupID == 0 || status.groupID == status.userID
        return !isPrivate || hasAccessList(directory)
    }

    /// Whether the group's permissions are only a mask of a longer list. Source: acl(5).
    private static func hasAccessList(_ directory: FilePath) -> Bool {
        directory.withCString { hold_lgetxattr($0, "system.posix_acl_access", nil, 0) } > 0
    }
}

extension FilePath {
    /// The path without symbolic links. Source: realpath(3).
    func resolved() throws(SystemError) -> FilePath {
        guard let name = withCString({ realpath($0, nil) }) else {
            throw SystemError("realpath", self, .current)
        }
        defer { free(name) }
        return FilePath(bytes: Array(UnsafeRawBufferPointer(start: name, count: strlen(name))))
    }
}
