import CLinux
import Glibc

/// A named value that hangs on a file, access control lists among them. Source: xattr(7).
package struct ExtendedAttribute: Hashable, Sendable {
    /// With its namespace, as in `user.comment`.
    package let name: [UInt8]
    package let value: [UInt8]

    package init(name: [UInt8], value: [UInt8]) {
        self.name = name
        self.value = value
    }
}

extension ExtendedAttribute {
    /// Bytes of one value, and of all names together, by the kernel's XATTR_SIZE_MAX and
    /// XATTR_LIST_MAX; some file systems list more names than that.
    private static let sizeLimit = 1 << 20

    /// All attributes of an open file, by name; none where the file system has none.
    package static func read(
        of file: borrowing Descriptor
    ) throws(SystemError) -> [ExtendedAttribute] {
        let raw = file.raw
        return try collect(file.path, list: { hold_flistxattr(raw, $0, $1) }) {
            hold_fgetxattr(raw, $0, $1, $2)
        }
    }

    /// All attributes of a name in a directory, by name; a link's own, never its target's.
    package static func read(
        of name: [UInt8], in directory: borrowing Descriptor
    ) throws(SystemError) -> [ExtendedAttribute] {
        let path = try route("listxattr", name, directory)
        do {
            return try path.withCString { (path) throws(SystemError) in
                try collect(nil, list: { hold_llistxattr(path, $0, $1) }) {
                    hold_lgetxattr(path, $0, $1, $2)
                }
            }
        } catch {
            throw SystemError(error.operation, directory.path(of: name), error.errno)
        }
    }

    /// Sets this attribute on an open file. Source: fsetxattr(2).
    package func write(to file: borrowing Descriptor) throws(SystemError) {
        let raw = file.raw
        try set(file.path) { hold_fsetxattr(raw, $0, $1.baseAddress, $1.count) }
    }

    /// Sets this attribute on a name in a directory, never following a link. Source: lsetxattr(2).
    package func write(
        to name: [UInt8], in directory: borrowing Descriptor
    ) throws(SystemError) {
        let path = try ExtendedAttribute.route("setxattr", name, directory)
        let shown = directory.path(of: name)
        try path.withCString { (path) throws(SystemError) in
            try set(shown) { hold_lsetxattr(path, $0, $1.baseAddress, $1.count) }
        }
    }

    /// Takes an attribute off a name in a directory; one that is not there is no error.
    package static func remove(
        _ attribute: [UInt8], of name: [UInt8], in directory: borrowing Descriptor
    ) throws(SystemError) {
        let path = try route("removexattr", name, directory)
        let shown = directory.path(of: name)
        do {
            _ = try path.withCString { (path) throws(SystemError) in
                try attribute.withNullTerminated { (attribute) throws(SystemError) in
                    try systemCall("removexattr", shown) { hold_lremovexattr(path, attribute) }
                }
            }
        } catch let error where error.errno == .noData {
            return
        }
    }

    /// No call takes a directory and a name here; this path does the same, and only its last
    /// component could be a link that `l*xattr` then leaves alone. Source: proc_pid_fd(5).
    private static func route(
        _ operation: String, _ name: [UInt8], _ directory: borrowing Descriptor
    ) throws(SystemError) -> FilePath {
        guard name.staysInDirectory, !name.isEmpty else {
            throw SystemError(operation, directory.path(of: name), .invalidArgument)
        }
        return FilePath("/proc/self/fd/\(directory.raw)").appending(name)
    }

    private func set(
        _ path: FilePath?, _ call: (UnsafePointer<CChar>, UnsafeRawBufferPointer) -> CInt
    ) throws(SystemError) {
        guard !name.contains(0) else { throw SystemError("setxattr", path, .invalidArgument) }
        _ = try name.withNullTerminated { (name) throws(SystemError) in
            try systemCall("setxattr", path) { value.withUnsafeBytes { call(name, $0) } }
        }
    }
}

extension ExtendedAttribute {
    private static func collect(
        _ path: FilePath?, list: (UnsafeMutablePointer<CChar>?, Int) -> Int,
        get: (UnsafePointer<CChar>, UnsafeMutableRawPointer?, Int) -> Int
    ) throws(SystemError) -> [ExtendedAttribute] {
        let names = try bytes("listxattr", path) {
            list($0?.assumingMemoryBound(to: CChar.self), $1)
        }
        guard let names, !names.isEmpty else { return [] }
        var attributes: [ExtendedAttribute] = []
        for name in names.split(separator: 0).map(Array.init) {
            let value = try name.withNullTerminated { (name) throws(SystemError) in
                try bytes("getxattr", path) { get(name, $0, $1) }
            }
            if let value { attributes.append(ExtendedAttribute(name: name, value: value)) }
        }
        return attributes.sorted { $0.name.lexicographicallyPrecedes($1.name) }
    }

    /// Reads what a call fills in; nil where there is no such thing, or no longer.
    private static func bytes(
        _ operation: String, _ path: FilePath?, _ call: (UnsafeMutableRawPointer?, Int) -> Int
    ) throws(SystemError) -> [UInt8]? {
        // Few files have any, and those that have, small ones: one call answers for nearly all.
        var size = 512
        while size <= sizeLimit {
            var count = 0
            var failure = Errno(0)
            let bytes = [UInt8](unsafeUninitializedCapacity: size) { buffer, filled in
                count = call(buffer.baseAddress, buffer.count)
                failure = .current
                filled = max(count, 0)
            }
            if count >= 0 { return bytes }
            switch failure {
            case .outOfRange: size = max(size * 2, call(nil, 0))
            case .notSupported, .noData: return nil
            case .interrupted: continue
            default: throw SystemError(operation, path, failure)
            }
        }
        throw SystemError(operation, path, .outOfRange)
    }
}
