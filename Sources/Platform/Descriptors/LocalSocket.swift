import CLinux
import Glibc

/// A stream between two processes of this host, under an abstract name that no file stands for.
/// Source: unix(7).
package struct LocalSocket: ~Copyable, Sendable {
    private let descriptor: Descriptor

    private init(owning raw: CInt) {
        descriptor = Descriptor(owning: raw)
    }

    private static func open(
        _ name: String, listens: Bool
    ) throws(SystemError) -> LocalSocket {
        let bytes = "@" + name
        return LocalSocket(
            owning: try systemCall(listens ? "listen" : "connect", FilePath(bytes)) {
                hold_local_stream(bytes, bytes.utf8.count, listens ? 1 : 0)
            })
    }

    /// Takes a name; EADDRINUSE where somebody has it.
    package static func listening(at name: String) throws(SystemError) -> LocalSocket {
        try open(name, listens: true)
    }

    /// ECONNREFUSED where nobody listens.
    package static func connected(to name: String) throws(SystemError) -> LocalSocket {
        try open(name, listens: false)
    }

    /// The next process that connects.
    package func accepted() throws(SystemError) -> LocalSocket {
        LocalSocket(owning: try systemCall("accept", nil) { hold_accept(descriptor.raw) })
    }

    /// Makes a thread that waits in ``accepted()`` return with an error.
    package func shutDown() {
        shutdown(descriptor.raw, CInt(SHUT_RDWR))
    }

    /// The process and user at the other end.
    package func peer() throws(SystemError) -> (process: Int32, user: UInt32) {
        var (process, user): (pid_t, uid_t) = (0, 0)
        _ = try systemCall("getsockopt", nil) { hold_peer(descriptor.raw, &process, &user) }
        return (process, user)
    }

    /// Reads and writes that wait longer fail with EAGAIN.
    package func limitWaits(seconds: Int) throws(SystemError) {
        _ = try systemCall("setsockopt", nil) {
            hold_limit_waits(descriptor.raw, Int64(seconds))
        }
    }

    /// Writes a message behind its length.
    package func send(_ message: [UInt8]) throws {
        let size = UInt32(message.count).bigEndian
        try withUnsafeBytes(of: size) { try descriptor.write($0) }
        try message.withUnsafeBytes { try descriptor.write($0) }
    }

    /// Reads a message; throws EFBIG past the limit and EPIPE where it ends early.
    package func receive(limit: Int) throws -> [UInt8] {
        var size: UInt32 = 0
        let got = try withUnsafeMutableBytes(of: &size) { try descriptor.read(into: $0) }
        guard got == 4 else { throw SystemError("receive", nil, .brokenPipe) }
        let count = Int(UInt32(bigEndian: size))
        guard count <= limit else { throw SystemError("receive", nil, .fileTooLarge) }
        var message = [UInt8](repeating: 0, count: count)
        let read = try message.withUnsafeMutableBytes { try descriptor.read(into: $0) }
        guard read == count else { throw SystemError("receive", nil, .brokenPipe) }
        return message
    }
}
