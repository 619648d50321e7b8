import Glibc
import Platform

/// Lets one thread sleep until another rings or time is up.
final class Alarm: Sendable {
    private let pipe: Pipe

    init() throws {
        pipe = try Pipe()
    }

    /// Whether the alarm rang within the time.
    func wait(nanoseconds: UInt64) -> Bool {
        var descriptor = pollfd(fd: pipe.reading.raw, events: Int16(POLLIN), revents: 0)
        return poll(&descriptor, 1, CInt(nanoseconds / 1_000_000)) > 0
    }

    func ring() throws {
        try [UInt8(1)].withUnsafeBytes { try pipe.writing.write($0) }
    }
}
