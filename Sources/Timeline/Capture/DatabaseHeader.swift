// The first 100 bytes of a SQLite database, big-endian (<https://www.sqlite.org/fileformat2.html>):
//
//   offset  size  what
//        0    16  "SQLite format 3\0"
//       16     2  page size, 1 for 65536
//       18     1  write version: 1 rollback journal, 2 WAL
//       19     1  read version: the same
//       20     1  bytes reserved at the end of each page
//       21     3  payload fractions: 64, 32, 32
//       24     4  file change counter
//       28     4  pages, valid only when the counters at 24 and 92 are equal
//       92     4  the change counter when the number of pages was written

/// How a database keeps its transactions atomic.
package enum JournalMode: UInt8, Sendable, Hashable {
    /// A rollback journal (DELETE, TRUNCATE, PERSIST, MEMORY, OFF): readers hold writers up.
    case rollback = 1
    /// A write-ahead log: readers hold nobody up.
    case wal = 2
}

/// What the beginning of a database says about the whole.
package struct DatabaseHeader: Sendable, Hashable {
    package static let size = 100

    /// Bytes, a power of two from 512 to 65536.
    package let pageSize: Int
    package let journalMode: JournalMode
    /// Counts transactions in rollback mode; in WAL mode it moves now and then.
    package let changeCounter: UInt32
    /// The number of pages, where the writer kept it up to date.
    package let pageCount: UInt32?
}

/// Tells SQLite databases from other files by their first bytes.
package enum DatabaseDetector {
    /// What a file is, as far as its first bytes tell.
    package enum Answer: Sendable, Hashable {
        case database(DatabaseHeader)
        /// A SQLite database of a kind that cannot be captured, such as one in WAL2 mode.
        case unsupported(String)
        /// Another file; also an encrypted database.
        case other
    }

    private static let magic = Array("SQLite format 3\0".utf8)

    /// Whether a file with this head is to be opened through SQLite; a kind that cannot be captured
    /// is met, and named, there.
    package static func mayCapture(_ bytes: UnsafeRawBufferPointer) -> Bool {
        examine(bytes) != .other
    }

    /// Judges a file by its first 100 bytes; with fewer it is no database.
    package static func examine(_ bytes: UnsafeRawBufferPointer) -> Answer {
        guard bytes.count >= DatabaseHeader.size, bytes.starts(with: magic) else { return .other }
        let size = Int(bytes[16]) << 8 | Int(bytes[17])
        let pageSize = size == 1 ? 65536 : size
        guard PageGeometry.isValid(pageSize: UInt64(pageSize)),
            pageSize - Int(bytes[20]) >= 480,
            bytes[21] == 64, bytes[22] == 32, bytes[23] == 32
        else { return .other }
        guard let mode = JournalMode(rawValue: bytes[19]), 1...2 ~= bytes[18] else {
            return .unsupported("its format has the versions \(bytes[18]) and \(bytes[19])")
        }
        let counter = word(at: 24, of: bytes)
        let pages = word(at: 28, of: bytes)
        let isCurrent = pages > 0 && counter == word(at: 92, of: bytes)
        return .database(
            DatabaseHeader(
                pageSize: pageSize, journalMode: mode, changeCounter: counter,
                pageCount: isCurrent ? pages : nil))
    }

    private static func word(at offset: Int, of bytes: UnsafeRawBufferPointer) -> UInt32 {
        UInt32(bigEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self))
    }
}
