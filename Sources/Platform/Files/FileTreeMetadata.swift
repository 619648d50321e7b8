import CLinux
import Glibc

// Owner, permissions and times of a name in an open directory; `.` is the directory itself.
extension FileTree {
    /// Instead of a user's or a group's number: the one that it has. Source: chown(2), `-1`.
    package static let sameID = UInt32.max

    /// Sets owner and group, of a link its own. Source: fchownat(2), AT_SYMLINK_NOFOLLOW.
    ///
    /// The system takes set-user-ID bits and capabilities away: set those afterwards.
    package static func setOwner(
        _ name: [UInt8], in directory: borrowing Descriptor, userID: UInt32, groupID: UInt32
    ) throws(SystemError) {
        _ = try systemCall("chown", name, in: directory) {
            fchownat($0, $1, userID, groupID, AT_SYMLINK_NOFOLLOW)
        }
    }

    /// Sets the lower twelve bits of the mode; throws ENOTSUP at a symbolic link, which has none.
    ///
    /// Source: fchmodat(3), AT_SYMLINK_NOFOLLOW, which glibc 2.32 made work on every kernel.
    package static func setPermissions(
        _ name: [UInt8], in directory: borrowing Descriptor, _ permissions: UInt32
    ) throws(SystemError) {
        _ = try systemCall("chmod", name, in: directory) {
            fchmodat($0, $1, permissions & 0o7777, AT_SYMLINK_NOFOLLOW)
        }
    }

    /// Sets the time of modification, of a link its own; that of the last access stays.
    ///
    /// File systems that hold fewer years keep the nearest moment they can. Source: utimensat(2).
    package static func setTimes(
        _ name: [UInt8], in directory: borrowing Descriptor, modified: Timestamp
    ) throws(SystemError) {
        _ = try systemCall("utimens", name, in: directory) {
            hold_set_modified($0, $1, modified.cValue)
        }
    }
}

// The same of an open file: one call each, where a name costs a walk and a mode three calls more.
extension Descriptor {
    /// The system takes set-user-ID bits and capabilities away: set those afterwards.
    ///
    /// Source: fchown(2).
    package func setOwner(userID: UInt32, groupID: UInt32) throws(SystemError) {
        _ = try systemCall("chown", path) { fchown(raw, userID, groupID) }
    }

    /// Sets the lower twelve bits of the mode. Source: fchmod(2).
    package func setPermissions(_ permissions: UInt32) throws(SystemError) {
        _ = try systemCall("chmod", path) { fchmod(raw, permissions & 0o7777) }
    }

    /// Sets the time of modification; that of the last access stays. Source: futimens(3).
    package func setTimes(modified: Timestamp) throws(SystemError) {
        _ = try systemCall("utimens", path) { hold_set_modified_of_open(raw, modified.cValue) }
    }
}

/// The number of a device from its two parts, and back. Source: makedev(3).
package enum DeviceNumber {
    package static func of(major: UInt32, minor: UInt32) -> UInt64 { hold_makedev(major, minor) }

    package static func major(_ device: UInt64) -> UInt32 { hold_major(device) }

    package static func minor(_ device: UInt64) -> UInt32 { hold_minor(device) }
}
