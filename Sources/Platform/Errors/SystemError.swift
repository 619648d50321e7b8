/// What failed, where, why.
package struct SystemError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The call, as in `open` or `fsync`.
    package let operation: String
    /// The file concerned, where there is one and it is known.
    package let path: FilePath?
    package let errno: Errno

    package init(_ operation: String, _ path: FilePath? = nil, _ errno: Errno) {
        self.operation = operation
        self.path = path
        self.errno = errno
    }

    /// `fsync /srv/repository/config: Input/output error`
    package var description: String {
        guard let path else { return "\(operation): \(errno)" }
        return "\(operation) \(path): \(errno)"
    }
}
