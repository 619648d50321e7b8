// The head of a wal-index (`-shm`), in the host's byte order (SQLite's wal.c, "WalIndexHdr"):
//
//   offset  size  what
//        0     4  version, 3007000
//        8     4  counts commits; 0 after a recovery
//       12     1  whether the header was ever written
//       13     1  whether checksums in the WAL take words as big-endian
//       14     2  page size, 1 for 65536
//       16     4  mxFrame: the last frame of the last commit
//       20     4  pages of the database after it
//       24     8  cumulative checksum of frame mxFrame
//       32     8  salts of the WAL's generation, as they stand in its header
//       40     8  checksum of the 40 bytes above
//       48    48  the same again
//       96     4  nBackfill: frames that a checkpoint has copied into the database
//      128     4  nBackfillAttempted: frames that one has begun to copy, since 2016
//
// A writer fills the second copy, then the first; a reader that finds them equal and their
// checksum right has not seen half a header.

import Codec

/// The state of a WAL that readers see now.
struct WALIndexHead: Equatable {
    private static let version: UInt32 = 3_007_000
    private static let headerSize = 48

    let isBigEndian: Bool
    let pageSize: Int
    /// Frames up to the last commit; frames count from 1.
    let lastFrame: UInt32
    /// Pages of the database; 0 where no commit has told.
    let pageCount: UInt32
    let checksum: WALChecksum
    /// As they stand in the WAL: the same bytes.
    let salts: UInt64
    /// Counts commits since the last recovery, and so tells equal headers of different moments
    /// apart.
    let commits: UInt32

    /// The state, and the frames that were backfilled; nil while a writer is at the header.
    static func parse(_ bytes: [UInt8]) -> (head: WALIndexHead, backfilled: UInt32)? {
        bytes.withUnsafeBytes { bytes in
            guard bytes.count >= 100,
                bytes[..<headerSize].elementsEqual(bytes[headerSize..<2 * headerSize]),
                let head = WALIndexHead(bytes)
            else { return nil }
            return (head, bytes.load(fromByteOffset: 96, as: UInt32.self))
        }
    }

    /// Frames of which pages may lie in the database, were a checkpoint killed midway too.
    static func touched(_ bytes: [UInt8]) -> UInt32 {
        bytes.withUnsafeBytes { bytes in
            max(
                bytes.load(fromByteOffset: 96, as: UInt32.self),
                bytes.load(fromByteOffset: 100, as: UInt32.self))
        }
    }

    /// What of it tells contents apart.
    var state: LogState {
        guard lastFrame > 0 else { return LogState() }
        let sum = UInt64(checksum.first) << 32 | UInt64(checksum.second)
        return LogState(salts: salts, lastFrame: lastFrame, checksum: sum)
    }

    private init?(_ bytes: UnsafeRawBufferPointer) {
        func word(_ offset: Int) -> UInt32 {
            bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self)
        }
        var sum = WALChecksum(first: 0, second: 0)
        sum.add(UnsafeRawBufferPointer(rebasing: bytes[..<40]), bigEndian: 1.bigEndian == 1)
        guard word(0) == WALIndexHead.version, bytes[12] != 0,
            sum == WALChecksum(first: word(40), second: word(44))
        else { return nil }
        isBigEndian = bytes[13] != 0
        let size = Int(bytes.loadUnaligned(fromByteOffset: 14, as: UInt16.self))
        pageSize = size == 1 ? 65536 : size
        lastFrame = word(16)
        pageCount = word(20)
        checksum = WALChecksum(first: word(24), second: word(28))
        salts = bytes.loadUnaligned(fromByteOffset: 32, as: UInt64.self)
        commits = word(8)
    }
}

/// SQLite's cumulative checksum over pairs of 32-bit words.
struct WALChecksum: Hashable {
    var first: UInt32
    var second: UInt32

    /// Adds bytes, a multiple of 8, as big-endian or little-endian words.
    mutating func add(_ bytes: UnsafeRawBufferPointer, bigEndian: Bool) {
        var (first, second) = (self.first, self.second)
        var offset = 0
        while offset + 8 <= bytes.count {
            let pair = bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
            // The earlier word of the pair comes out in the upper half.
            let words =
                bigEndian ? pair.bigEndian : pair.littleEndian &<< 32 | pair.littleEndian &>> 32
            first = first &+ UInt32(truncatingIfNeeded: words &>> 32) &+ second
            second = second &+ UInt32(truncatingIfNeeded: words) &+ first
            offset += 8
        }
        (self.first, self.second) = (first, second)
    }
}
