// What a capture remembers of a database, so that a later one can tell cheaply that nothing has
// changed. Little-endian, 90 bytes:
//
//   u8 version (1) | u8 journal mode | u32 page size | u32 pages | u32 change counter
//   | u64 file size | u64 device | u64 inode | i64, u32 modified | i64, u32 changed
//   | u64 salts | u32 last frame | u64 checksum | u64 unsettled
//
// Invariant: where an identity equals an earlier one of the same path, so does the content. With
// frames in the WAL, their salts, number and cumulative checksum name the content. Without, the
// file's times and the change counter do; but a file that is written twice within one tick of the
// kernel's clock keeps its times. So a look at a file that was written a moment ago, and has no
// frames, is marked as unsettled with its own time, and equals no other look.

package import Codec
import Glibc
import Platform

/// Tells two states of a database apart without reading them.
package struct DatabaseIdentity: Hashable, Sendable {
    /// Bytes of an encoded identity.
    package static let size = 90
    private static let version: UInt8 = 1

    package let journalMode: JournalMode
    package let pageSize: Int
    package let pageCount: UInt32
    package let changeCounter: UInt32
    let file: FileState
    let log: LogState

    /// The identity as it is stored.
    package var encoded: [UInt8] {
        var writer = ByteWriter(capacity: DatabaseIdentity.size)
        writer.write(u8: DatabaseIdentity.version)
        writer.write(u8: journalMode.rawValue)
        writer.write(u32: UInt32(pageSize))
        writer.write(u32: pageCount)
        writer.write(u32: changeCounter)
        for word in [file.size, file.device, file.inode] { writer.write(u64: word) }
        for time in [file.modified, file.changed] {
            writer.write(u64: UInt64(bitPattern: time.seconds))
            writer.write(u32: time.nanoseconds)
        }
        writer.write(u64: log.salts)
        writer.write(u32: log.lastFrame)
        writer.write(u64: log.checksum)
        writer.write(u64: file.unsettled)
        return writer.bytes
    }
}

extension DatabaseIdentity {
    /// Whether an equal identity proves equal content.
    var isSettled: Bool { file.unsettled == 0 }

    /// Reads an identity as it was stored.
    package init(decoding bytes: [UInt8]) throws(FormatError) {
        var reader = ByteReader(bytes)
        guard try reader.u8() == DatabaseIdentity.version,
            let mode = JournalMode(rawValue: try reader.u8())
        else { throw FormatError("a database identity of another version") }
        journalMode = mode
        pageSize = Int(try reader.u32())
        pageCount = try reader.u32()
        changeCounter = try reader.u32()
        let (size, device, inode) = (try reader.u64(), try reader.u64(), try reader.u64())
        let modified = Timestamp(
            seconds: Int64(bitPattern: try reader.u64()), nanoseconds: try reader.u32())
        let changed = Timestamp(
            seconds: Int64(bitPattern: try reader.u64()), nanoseconds: try reader.u32())
        log = LogState(
            salts: try reader.u64(), lastFrame: try reader.u32(), checksum: try reader.u64())
        file = FileState(
            size: size, device: device, inode: inode, modified: modified, changed: changed,
            unsettled: try reader.u64())
        try reader.finish()
    }

    /// Whether the later state is proved to be newer content of the same file. In WAL mode only a
    /// higher change counter proves that: commits need not move it, and a mark does not know it.
    package static func isAhead(of earlier: [UInt8], _ later: [UInt8]) -> Bool {
        guard !wentBack(from: earlier, to: later),
            let earlier = try? DatabaseIdentity(decoding: earlier),
            let later = try? DatabaseIdentity(decoding: later)
        else { return false }
        guard later.journalMode == .wal else { return true }
        let step = Int32(bitPattern: later.changeCounter &- earlier.changeCounter)
        return earlier.changeCounter != 0 && step > 0
    }

    /// Whether the later state may be older content: another file, a change counter that is lower,
    /// or a WAL of the same generation that ends earlier. True where the earlier cannot be read.
    package static func wentBack(from earlier: [UInt8], to later: [UInt8]) -> Bool {
        guard let earlier = try? DatabaseIdentity(decoding: earlier),
            let later = try? DatabaseIdentity(decoding: later)
        else { return true }
        // The counter wraps around.
        let step = Int32(bitPattern: later.changeCounter &- earlier.changeCounter)
        let isShorter =
            later.log.salts == earlier.log.salts && later.log.lastFrame < earlier.log.lastFrame
        return later.file.inode != earlier.file.inode || step < 0 || isShorter
    }
}

/// Where the WAL stands: all zero when it holds nothing that counts.
struct LogState: Hashable, Sendable {
    var salts: UInt64 = 0
    var lastFrame: UInt32 = 0
    /// The cumulative checksum of all frames up to the last.
    var checksum: UInt64 = 0
}

/// What the filesystem says of the database's file.
struct FileState: Hashable, Sendable {
    var size: UInt64
    var device: UInt64
    var inode: UInt64
    var modified: Timestamp
    var changed: Timestamp
    /// Nanoseconds since boot when the look was taken, where the file had been written so shortly
    /// before that another write might leave its times as they are; else 0.
    var unsettled: UInt64

    /// Looks by path: opening the file again would drop this process's locks.
    static func look(at path: FilePath) throws(SystemError) -> FileState {
        // The kernel's own clock, since it is compared with the kernel's stamps.
        let now = nanoseconds(of: CLOCK_REALTIME_COARSE)
        let status = try FileStatus.of(path, followingLinks: true)
        // Some filesystems keep whole seconds, the others at least hundredths.
        let tick: Int64 = status.modified.nanoseconds == 0 ? 3_000_000_000 : 50_000_000
        let written = max(status.modified, status.changed).nanosecondsSinceEpoch
        let (age, overflow) = now.subtractingReportingOverflow(written)
        let isSettled = !overflow && age > tick
        return FileState(
            size: status.size, device: status.device, inode: status.inode,
            modified: status.modified, changed: status.changed,
            unsettled: isSettled ? 0 : UInt64(clamping: nanoseconds(of: CLOCK_BOOTTIME)))
    }

    private static func nanoseconds(of clock: clockid_t) -> Int64 {
        var time = timespec()
        clock_gettime(clock, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
}
