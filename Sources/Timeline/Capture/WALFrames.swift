// A write-ahead log, big-endian (<https://www.sqlite.org/fileformat2.html#walformat>):
//
//   header, 32 bytes: magic 0x377f0682 or 3 (then checksums take words as big-endian) | version
//     | page size | checkpoint number | salt, salt | checksum, checksum of the 24 bytes above
//   frames: page number | database size after a commit, or 0 | salt, salt
//     | checksum, checksum | the page
//
// Checksums are cumulative: from the header's over each frame's first 8 bytes and page. So the one
// of the last frame, which the wal-index knows too, proves all frames before it.
//
// SQLite since 3.11 writes a page that a transaction writes twice over its earlier frame, and makes
// up the checksums when it commits: until then frames have zeros for salts and checksums. After a
// ROLLBACK TO it may forget some of them (seen in 3.40.1). Readers never notice, since they go by
// the wal-index; the first to open the database after a crash proves the log, and cuts it there.

import SQLite

/// Where the pages that a WAL holds lie in it.
struct WALFrames {
    static let headerSize = 32
    static let frameHeaderSize = 24
    /// Bytes read at a time.
    private static let portion = 1 << 20

    /// Page number and frame, ascending by page; one entry a page.
    private let entries: [(page: UInt32, frame: UInt32)]
    private let pageSize: Int

    /// A log that holds nothing that the database does not.
    static func none(pageSize: Int) -> WALFrames {
        WALFrames(entries: [], pageSize: pageSize)
    }

    private init(entries: [(page: UInt32, frame: UInt32)], pageSize: Int) {
        self.entries = entries
        self.pageSize = pageSize
    }

    /// Scans the log up to the last frame that counts; nil where it is not what the head says.
    ///
    /// - Parameter isProved: whether the checksums must bear it out. Where a reader is held, no
    ///   frame that counts can be written over, and each names its page: so does SQLite read it.
    init?(
        in file: PagerFile, upTo head: WALIndexHead, isProved: Bool = true
    ) throws(SQLiteError) {
        pageSize = head.pageSize
        guard var scan = try WALScan(file, head, isProving: isProved) else { return nil }
        let frameSize = WALFrames.frameHeaderSize + pageSize
        let perPortion = max(1, WALFrames.portion / frameSize)
        let buffer = UnsafeMutableRawBufferPointer.allocate(
            byteCount: perPortion * frameSize, alignment: 16)
        defer { buffer.deallocate() }
        var next = 0
        while next < Int(head.lastFrame) {
            let count = min(perPortion, Int(head.lastFrame) - next)
            let bytes = UnsafeMutableRawBufferPointer(rebasing: buffer[..<(count * frameSize)])
            let offset = UInt64(WALFrames.headerSize) + UInt64(next) * UInt64(frameSize)
            guard try file.read(into: bytes, at: offset),
                scan.add(UnsafeRawBufferPointer(bytes), frameSize: frameSize)
            else { return nil }
            next += count
        }
        guard !isProved || scan.checksum == head.checksum else { return nil }
        entries = WALFrames.newest(of: scan.pages, pageCount: head.pageCount)
    }

    /// The newest frame of each page that the database still has.
    private static func newest(
        of pages: [UInt32], pageCount: UInt32
    ) -> [(page: UInt32, frame: UInt32)] {
        var keys = pages.indices.map { UInt64(pages[$0]) << 32 | UInt64($0) }
        keys.sort()
        var entries: [(page: UInt32, frame: UInt32)] = []
        for key in keys {
            let page = UInt32(key >> 32)
            guard page <= pageCount else { break }
            if entries.last?.page == page { entries.removeLast() }
            entries.append((page, UInt32(truncatingIfNeeded: key)))
        }
        return entries
    }

    /// Each page that the log holds, with its newest frame; frames count from 1.
    var newestFrames: [(page: UInt32, frame: UInt32)] {
        entries.map { ($0.page, $0.frame + 1) }
    }

    /// The highest page that the log holds; 0 where it holds none.
    var lastPage: UInt32 { entries.last?.page ?? 0 }

    /// The pages of a run that lie in the log: their place in the run, and their offset in the log.
    func pages(from first: UInt32, count: Int) -> [(index: Int, offset: UInt64)] {
        var low = 0
        var high = entries.count
        while low < high {
            let middle = (low + high) / 2
            if entries[middle].page < first { low = middle + 1 } else { high = middle }
        }
        var found: [(index: Int, offset: UInt64)] = []
        while low < entries.count, Int(entries[low].page) < Int(first) + count {
            let start = UInt64(entries[low].frame) * UInt64(WALFrames.frameHeaderSize + pageSize)
            let body = UInt64(WALFrames.headerSize + WALFrames.frameHeaderSize)
            found.append((Int(entries[low].page - first), start + body))
            low += 1
        }
        return found
    }
}

extension WALFrames {
    /// The checksum a log begins with; nil where its header is damaged or of another generation.
    static func checksum(
        ofHeader bytes: UnsafeRawBufferPointer, salts: UInt64, pageSize: Int, isBigEndian: Bool
    ) -> WALChecksum? {
        var sum = WALChecksum(first: 0, second: 0)
        sum.add(UnsafeRawBufferPointer(rebasing: bytes[..<24]), bigEndian: isBigEndian)
        let isRight =
            word(8, of: bytes) == UInt32(pageSize)
            && bytes.loadUnaligned(fromByteOffset: 16, as: UInt64.self) == salts
            && word(0, of: bytes) == 0x377f_0682 | (isBigEndian ? 1 : 0)
            && sum == checksum(24, of: bytes)
        return isRight ? sum : nil
    }

    /// Adds one frame to the cumulative checksum; false where it is not of this log.
    static func prove(
        _ frame: UnsafeRawBufferPointer, salts: UInt64, isBigEndian: Bool, sum: inout WALChecksum
    ) -> Bool {
        sum.add(UnsafeRawBufferPointer(rebasing: frame[..<8]), bigEndian: isBigEndian)
        sum.add(
            UnsafeRawBufferPointer(rebasing: frame[frameHeaderSize...]), bigEndian: isBigEndian)
        return frame.loadUnaligned(fromByteOffset: 8, as: UInt64.self) == salts
            && sum == checksum(16, of: frame)
    }

    /// Whether a frame is of this log, by its salts, or was left without any.
    static func isCounted(_ frame: UnsafeRawBufferPointer, salts: UInt64) -> Bool {
        let own = frame.loadUnaligned(fromByteOffset: 8, as: UInt64.self)
        return own == salts
            || own == 0 && checksum(16, of: frame) == WALChecksum(first: 0, second: 0)
    }

    static func word(_ offset: Int, of bytes: UnsafeRawBufferPointer) -> UInt32 {
        UInt32(bigEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self))
    }

    private static func checksum(_ offset: Int, of bytes: UnsafeRawBufferPointer) -> WALChecksum {
        WALChecksum(first: word(offset, of: bytes), second: word(offset + 4, of: bytes))
    }
}

/// Goes through a log frame by frame.
private struct WALScan {
    private let isProving: Bool
    private let salts: UInt64
    private let isBigEndian: Bool
    private(set) var checksum: WALChecksum
    /// The page of each frame.
    private(set) var pages: [UInt32] = []

    /// nil where the log's header is of another generation, or damaged.
    init?(_ file: PagerFile, _ head: WALIndexHead, isProving: Bool) throws(SQLiteError) {
        self.isProving = isProving
        let header = try file.bytes(WALFrames.headerSize, at: 0)
        salts = head.salts
        isBigEndian = head.isBigEndian
        let sum = header.withUnsafeBytes {
            WALFrames.checksum(
                ofHeader: $0, salts: head.salts, pageSize: head.pageSize,
                isBigEndian: head.isBigEndian)
        }
        guard let sum else { return nil }
        checksum = sum
        pages.reserveCapacity(min(Int(head.lastFrame), 1 << 20))
    }

    /// Adds whole frames; false where one is not of this log.
    mutating func add(_ bytes: UnsafeRawBufferPointer, frameSize: Int) -> Bool {
        var start = 0
        while start < bytes.count {
            let frame = UnsafeRawBufferPointer(rebasing: bytes[start..<start + frameSize])
            guard
                isProving
                    ? WALFrames.prove(frame, salts: salts, isBigEndian: isBigEndian, sum: &checksum)
                    : WALFrames.isCounted(frame, salts: salts)
            else { return false }
            pages.append(WALFrames.word(0, of: frame))
            start += frameSize
        }
        return true
    }
}
