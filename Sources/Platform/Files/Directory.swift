import CLinux
import Glibc

/// Reads what a directory holds.
package enum Directory {
    private static let bufferBytes = 32 << 10

    /// All names but `.` and `..`, in no order; what comes or goes meanwhile may be there or not.
    ///
    /// The descriptor stays open and usable; `path` is for messages. readdir(3) would take a second
    /// descriptor and six calls more a directory. Source: getdents64(2).
    package static func names(
        in descriptor: borrowing Descriptor, path: FilePath
    ) throws(SystemError) -> [[UInt8]] {
        let raw = descriptor.raw
        // It may have been read before.
        _ = try systemCall("readdir", path) { lseek(raw, 0, SEEK_SET) }
        return try withUnsafeTemporaryAllocation(byteCount: bufferBytes, alignment: 8) {
            (buffer: UnsafeMutableRawBufferPointer) throws(SystemError) -> [[UInt8]] in
            var names: [[UInt8]] = []
            while true {
                let count = try systemCall("readdir", path) {
                    hold_getdents64(raw, buffer.baseAddress, buffer.count)
                }
                if count == 0 { return names }
                append(UnsafeRawBufferPointer(rebasing: buffer[..<count]), to: &names)
            }
        }
    }

    /// Takes names out of what the system wrote: a number, an offset, the record's size in two
    /// bytes, the kind in one, and the name, which ends in NUL.
    private static func append(_ records: UnsafeRawBufferPointer, to names: inout [[UInt8]]) {
        var start = 0
        while start + nameOffset < records.count {
            let size = Int(records.loadUnaligned(fromByteOffset: start + 16, as: UInt16.self))
            // The kernel writes no such record; a loop that stands still would be worse.
            guard size > nameOffset, start + size <= records.count else { return }
            let name = records[start + nameOffset..<start + size].prefix { $0 != 0 }
            if !name.elementsEqual([0x2E]), !name.elementsEqual([0x2E, 0x2E]) {
                names.append(Array(name))
            }
            start += size
        }
    }

    private static let nameOffset = 19
}
