import CLinux
import Glibc

/// Something happened to a name in a watched directory.
package struct DirectoryNotice: Sendable, Hashable {
    /// The number ``DirectoryNotices/watch(_:)`` answered.
    package let directory: CInt
    /// The name, or empty where the directory itself is meant.
    package let name: [UInt8]
    /// Whether the name came or went; else the file was written.
    package let isNameChange: Bool
    /// Whether the directory itself went, by removal or by another name: what lies at its path now
    /// is not watched.
    package let isOfDirectory: Bool
}

/// Tells of changes in directories; used by one thread. Source: inotify(7).
package final class DirectoryNotices {
    /// What one read takes at most.
    private static let bufferBytes = 64 << 10

    private static let ends = UInt32(IN_DELETE_SELF) | UInt32(IN_MOVE_SELF) | UInt32(IN_IGNORED)

    private let descriptor: Descriptor
    private let buffer: UnsafeMutableRawBufferPointer
    /// Whether the kernel dropped notices since the last ``take()``: then anything may have
    /// changed.
    package private(set) var wereDropped = false

    package init() throws(SystemError) {
        descriptor = Descriptor(owning: try systemCall("inotify_init", nil) { hold_inotify() })
        buffer = .allocate(byteCount: DirectoryNotices.bufferBytes, alignment: 8)
    }

    deinit {
        buffer.deallocate()
    }

    /// Begins to watch a directory and answers its number; the same for the same directory.
    package func watch(_ path: FilePath) throws(SystemError) -> CInt {
        try path.withCString { (name) throws(SystemError) -> CInt in
            try systemCall("inotify_add_watch", path) {
                hold_watch_directory(descriptor.raw, name)
            }
        }
    }

    /// Waits for a notice, for another descriptor, or for so many nanoseconds; whether the other
    /// one has something to read.
    package func wait(nanoseconds: Int64, or other: CInt) -> Bool {
        var files = [
            pollfd(fd: descriptor.raw, events: Int16(POLLIN), revents: 0),
            pollfd(fd: other, events: Int16(POLLIN), revents: 0),
        ]
        // A signal ends the wait early, as a notice does.
        return hold_poll(&files, 2, max(0, nanoseconds)) > 0
            && files[1].revents & Int16(POLLIN) != 0
    }

    /// The notices since the last call.
    package func take() throws(SystemError) -> Set<DirectoryNotice> {
        wereDropped = false
        var notices: Set<DirectoryNotice> = []
        while true {
            let count = read(descriptor.raw, buffer.baseAddress, buffer.count)
            guard count > 0 else {
                let failure = Errno.current
                guard count < 0, failure != .wouldBlock, failure != .interrupted else {
                    return notices
                }
                throw SystemError("read", nil, failure)
            }
            parse(UnsafeRawBufferPointer(rebasing: buffer[..<count]), into: &notices)
            if count < buffer.count / 2 { return notices }
        }
    }

    private func parse(_ bytes: UnsafeRawBufferPointer, into notices: inout Set<DirectoryNotice>) {
        let headerSize = MemoryLayout<inotify_event>.size
        var offset = 0
        while offset + headerSize <= bytes.count {
            let event = bytes.loadUnaligned(fromByteOffset: offset, as: inotify_event.self)
            let end = offset + headerSize + Int(event.len)
            guard end <= bytes.count else { return }
            if event.mask & UInt32(IN_Q_OVERFLOW) != 0 { wereDropped = true }
            let name = bytes[(offset + headerSize)..<end].prefix { $0 != 0 }
            notices.insert(
                DirectoryNotice(
                    directory: event.wd, name: Array(name),
                    isNameChange: event.mask & UInt32(IN_MODIFY) == 0,
                    isOfDirectory: event.mask & DirectoryNotices.ends != 0))
            offset = end
        }
    }
}
