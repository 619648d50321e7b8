import Glibc

/// A path as the system has it: bytes of no particular encoding, without NUL.
package struct FilePath: Hashable, Comparable, Sendable, ExpressibleByStringLiteral {
    /// Never holds NUL.
    package let bytes: [UInt8]

    private static let slash = UInt8(ascii: "/")
    private static let dot: [UInt8] = [0x2E]
    private static let twoDots: [UInt8] = [0x2E, 0x2E]

    /// Bytes that hold a NUL cannot name anything: they make the empty path, which every call
    /// refuses with ENOENT, rather than a shorter path that names something else.
    package init(bytes: [UInt8]) {
        self.bytes = FilePath.holdsZero(bytes) ? [] : bytes
    }

    /// Of bytes that were looked at before.
    private init(checked bytes: [UInt8]) {
        self.bytes = bytes
    }

    private static func holdsZero(_ bytes: [UInt8]) -> Bool {
        bytes.withUnsafeBytes { buffer in
            guard let start = buffer.baseAddress else { return false }
            return memchr(start, 0, buffer.count) != nil
        }
    }

    package init(_ string: String) {
        self.init(bytes: Array(string.utf8))
    }

    package init(stringLiteral value: String) {
        self.init(value)
    }

    package static func < (left: FilePath, right: FilePath) -> Bool {
        left.bytes.lexicographicallyPrecedes(right.bytes)
    }

    package var isAbsolute: Bool { bytes.first == FilePath.slash }

    /// What stands between slashes, in order; `.` and `..` as they are.
    package var components: [[UInt8]] {
        bytes.split(separator: FilePath.slash).map(Array.init)
    }

    /// Empty for `/` and for the empty path.
    package var lastComponent: [UInt8] {
        bytes.split(separator: FilePath.slash).last.map(Array.init) ?? []
    }

    /// The path without its last component: `/` above `/a` and `/`, `.` above `a`, `.` and nothing.
    package var parent: FilePath {
        var rest = bytes[...]
        while rest.last == FilePath.slash { rest.removeLast() }
        while let last = rest.last, last != FilePath.slash { rest.removeLast() }
        while rest.last == FilePath.slash { rest.removeLast() }
        if rest.isEmpty { return FilePath(bytes: isAbsolute ? [FilePath.slash] : FilePath.dot) }
        return FilePath(checked: Array(rest))
    }

    package func appending(_ component: [UInt8]) -> FilePath {
        guard !bytes.isEmpty else { return FilePath(bytes: component) }
        guard !FilePath.holdsZero(component) else { return FilePath(checked: []) }
        var joined: [UInt8] = []
        joined.reserveCapacity(bytes.count + 1 + component.count)
        joined += bytes
        if joined.last != FilePath.slash { joined.append(FilePath.slash) }
        joined += component
        return FilePath(checked: joined)
    }

    package func appending(_ component: String) -> FilePath {
        appending(Array(component.utf8))
    }

    /// Calls with the path as a C string that ends with the call.
    package func withCString<R, E: Error>(
        _ body: (UnsafePointer<CChar>) throws(E) -> R
    ) throws(E) -> R {
        try bytes.withNullTerminated(body)
    }

    /// Source: getcwd(3).
    package static func currentDirectory() throws(SystemError) -> FilePath {
        var size = 256
        while true {
            var failure = Errno(0)
            let bytes = [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
                // The buffer is filled as C's characters, which are the same bytes.
                let found = getcwd(UnsafeMutableRawPointer(buffer.baseAddress), buffer.count)
                failure = .current
                count = found.map { strlen($0) } ?? 0
            }
            if !bytes.isEmpty { return FilePath(bytes: bytes) }
            guard failure == .outOfRange, size < 1 << 20 else {
                throw SystemError("getcwd", nil, failure)
            }
            size *= 2
        }
    }

    /// The path from the root, by its letters alone: `.` and `//` are taken out, `..` takes out
    /// what stands before it. The empty path stays empty.
    package func absolute() throws(SystemError) -> FilePath {
        guard !bytes.isEmpty else { return self }
        let whole = isAbsolute ? self : try FilePath.currentDirectory().appending(bytes)
        var kept: [[UInt8]] = []
        for component in whole.components where component != FilePath.dot {
            if component != FilePath.twoDots {
                kept.append(component)
            } else if !kept.isEmpty {
                kept.removeLast()
            }
        }
        return FilePath(bytes: [FilePath.slash] + kept.joined(separator: [FilePath.slash]))
    }
}
