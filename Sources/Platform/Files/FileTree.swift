import CLinux
import Glibc

/// Makes, moves and removes names in open directories.
///
/// No verb follows a symbolic link, and none takes a name that leaves its directory (EINVAL).
package enum FileTree {
    /// Source: mkdirat(2).
    package static func makeDirectory(
        _ name: [UInt8], in directory: borrowing Descriptor, permissions: UInt32 = 0o700
    ) throws(SystemError) {
        _ = try systemCall("mkdir", name, in: directory) { mkdirat($0, $1, permissions) }
    }

    /// The target may be any bytes but NUL. Source: symlinkat(2).
    package static func makeSymbolicLink(
        _ name: [UInt8], in directory: borrowing Descriptor, target: [UInt8]
    ) throws(SystemError) {
        guard !target.contains(0) else {
            throw SystemError("symlink", directory.path(of: name), .invalidArgument)
        }
        _ = try systemCall("symlink", name, in: directory) { raw, name in
            target.withNullTerminated { symlinkat($0, raw, name) }
        }
    }

    /// What a symbolic link points to. Source: readlinkat(2).
    package static func readLink(
        _ name: [UInt8], in directory: borrowing Descriptor
    ) throws(SystemError) -> [UInt8] {
        var size = 256
        while true {
            var target = [CChar](repeating: 0, count: size)
            let count = try systemCall("readlink", name, in: directory) {
                readlinkat($0, $1, &target, size)
            }
            // A full buffer may hold a target that was cut short.
            if count < size { return target.prefix(count).map(UInt8.init(bitPattern:)) }
            guard size < 1 << 20 else {
                throw SystemError("readlink", directory.path(of: name), .nameTooLong)
            }
            size *= 4
        }
    }

    /// Makes a FIFO, a socket's name or a device; other kinds are refused with EINVAL.
    ///
    /// The umask takes bits off the permissions. Source: mknodat(2).
    package static func makeNode(
        _ name: [UInt8], in directory: borrowing Descriptor, kind: FileKind, device: UInt64 = 0,
        permissions: UInt32 = 0o600
    ) throws(SystemError) {
        guard [.fifo, .socket, .characterDevice, .blockDevice].contains(kind) else {
            throw SystemError("mknod", directory.path(of: name), .invalidArgument)
        }
        _ = try systemCall("mknod", name, in: directory) {
            mknodat($0, $1, kind.mode | permissions, dev_t(device))
        }
    }

    /// Gives a file a second name; a link gets one itself, not its target. Source: linkat(2).
    package static func makeHardLink(
        _ name: [UInt8], in directory: borrowing Descriptor, to existing: [UInt8],
        in source: borrowing Descriptor
    ) throws(SystemError) {
        let raw = source.raw
        try check(existing, "link", source)
        _ = try systemCall("link", name, in: directory) { into, name in
            existing.withNullTerminated { linkat(raw, $0, into, name, 0) }
        }
    }

    /// Removes any name but a directory's. Source: unlinkat(2).
    package static func remove(
        _ name: [UInt8], in directory: borrowing Descriptor
    ) throws(SystemError) {
        _ = try systemCall("unlink", name, in: directory) { unlinkat($0, $1, 0) }
    }

    /// Removes an empty directory. Source: unlinkat(2), AT_REMOVEDIR.
    package static func removeDirectory(
        _ name: [UInt8], in directory: borrowing Descriptor
    ) throws(SystemError) {
        _ = try systemCall("rmdir", name, in: directory) { unlinkat($0, $1, AT_REMOVEDIR) }
    }

    /// Moves a name; what the new one named before is replaced in the same step.
    ///
    /// Source: renameat(2).
    package static func rename(
        _ name: [UInt8], in directory: borrowing Descriptor, to newName: [UInt8],
        in target: borrowing Descriptor
    ) throws(SystemError) {
        let raw = target.raw
        try check(newName, "rename", target)
        _ = try systemCall("rename", name, in: directory) { from, name in
            newName.withNullTerminated { renameat(from, name, raw, $0) }
        }
    }

    /// Moves a name; throws EEXIST where the new one is taken. Source: renameat2(2).
    package static func renameExclusively(
        _ name: [UInt8], in directory: borrowing Descriptor, to newName: [UInt8],
        in target: borrowing Descriptor
    ) throws(SystemError) {
        let raw = target.raw
        try check(newName, "rename", target)
        _ = try systemCall("rename", name, in: directory) { from, name in
            newName.withNullTerminated { hold_rename_exclusively(from, name, raw, $0) }
        }
    }

    /// The second name of a call, which `systemCall` does not see.
    private static func check(
        _ name: [UInt8], _ operation: String, _ directory: borrowing Descriptor
    ) throws(SystemError) {
        guard name.staysInDirectory else {
            throw SystemError(operation, directory.path(of: name), .invalidArgument)
        }
    }
}
