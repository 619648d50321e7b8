import Glibc

/// An error number of the C library.
package struct Errno: Error, Hashable, Sendable, CustomStringConvertible {
    package let rawValue: CInt

    package init(_ rawValue: CInt) {
        self.rawValue = rawValue
    }

    /// What the calling thread's last failed call left in `errno`.
    package static var current: Errno { Errno(errno) }

    /// The system's own words. Source: strerror(3), safe from any thread since glibc 2.32.
    package var description: String { String(cString: strerror(rawValue)) }
}

extension Errno {
    /// EACCES
    package static var permissionDenied: Errno { Errno(EACCES) }
    /// EAGAIN
    package static var wouldBlock: Errno { Errno(EAGAIN) }
    /// EBADF
    package static var badDescriptor: Errno { Errno(EBADF) }
    /// EBUSY
    package static var busy: Errno { Errno(EBUSY) }
    /// EDQUOT
    package static var quotaExceeded: Errno { Errno(EDQUOT) }
    /// EEXIST
    package static var fileExists: Errno { Errno(EEXIST) }
    /// EFBIG
    package static var fileTooLarge: Errno { Errno(EFBIG) }
    /// EINTR
    package static var interrupted: Errno { Errno(EINTR) }
    /// EINVAL
    package static var invalidArgument: Errno { Errno(EINVAL) }
    /// EIO
    package static var inputOutput: Errno { Errno(EIO) }
    /// EISDIR
    package static var isDirectory: Errno { Errno(EISDIR) }
    /// ELOOP; also what O_NOFOLLOW answers at a symbolic link.
    package static var tooManyLinks: Errno { Errno(ELOOP) }
    /// EMFILE
    package static var tooManyOpenFiles: Errno { Errno(EMFILE) }
    /// ENAMETOOLONG
    package static var nameTooLong: Errno { Errno(ENAMETOOLONG) }
    /// ENODATA
    package static var noData: Errno { Errno(ENODATA) }
    /// ENOENT
    package static var noSuchFile: Errno { Errno(ENOENT) }
    /// ENOSPC
    package static var noSpace: Errno { Errno(ENOSPC) }
    /// ENOSYS
    package static var noSystemCall: Errno { Errno(ENOSYS) }
    /// ENOTDIR
    package static var notDirectory: Errno { Errno(ENOTDIR) }
    /// ENOTEMPTY
    package static var directoryNotEmpty: Errno { Errno(ENOTEMPTY) }
    /// ENOTSUP, on Linux the same as EOPNOTSUPP.
    package static var notSupported: Errno { Errno(ENOTSUP) }
    /// ENXIO
    package static var noSuchDeviceOrAddress: Errno { Errno(ENXIO) }
    /// EPERM
    package static var notPermitted: Errno { Errno(EPERM) }
    /// EPIPE
    package static var brokenPipe: Errno { Errno(EPIPE) }
    /// ERANGE
    package static var outOfRange: Errno { Errno(ERANGE) }
    /// EROFS
    package static var readOnlyFileSystem: Errno { Errno(EROFS) }
    /// ESRCH
    package static var noSuchProcess: Errno { Errno(ESRCH) }
    /// ESTALE
    package static var staleHandle: Errno { Errno(ESTALE) }
    /// EXDEV
    package static var crossDevice: Errno { Errno(EXDEV) }
}
