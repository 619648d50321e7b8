import CLinux
import Glibc

/// Reads what a directory holds.
package enum Directory {
    /// All names but `.` and `..`, in no order; what comes or goes meanwhile may be there or not.
    ///
    /// The descriptor stays open and usable; `path` is for messages. Source: readdir(3).
    package static func names(
        in descriptor: borrowing Descriptor, path: FilePath
    ) throws(SystemError) -> [[UInt8]] {
        let stream = try open(Descriptor.duplicate(of: descriptor.raw), path)
        defer { closedir(stream) }
        // The duplicate shares its position with the descriptor, which may have been read before.
        rewinddir(stream)
        var names: [[UInt8]] = []
        while true {
            errno = 0
            guard let entry = readdir(stream) else {
                let failure = Errno.current
                guard failure.rawValue == 0 else { throw SystemError("readdir", path, failure) }
                return names
            }
            if let name = name(of: entry) { names.append(name) }
        }
    }

    private static func open(
        _ descriptor: consuming Descriptor, _ path: FilePath
    ) throws(SystemError) -> OpaquePointer {
        guard let stream = fdopendir(descriptor.raw) else {
            throw SystemError("readdir", path, .current)
        }
        // The stream closes it from here on.
        _ = descriptor.release()
        return stream
    }

    private static func name(of entry: UnsafeMutablePointer<dirent>) -> [UInt8]? {
        guard let name = hold_name(entry) else { return nil }
        let isDots = name[0] == 0x2E && (name[1] == 0 || (name[1] == 0x2E && name[2] == 0))
        if isDots { return nil }
        return Array(UnsafeRawBufferPointer(start: name, count: strlen(name)))
    }
}
