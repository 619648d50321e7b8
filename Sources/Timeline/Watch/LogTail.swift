// Reads a WAL as it grows, commit by commit (its format: WALFrames.swift).
//
// Invariants:
// - A commit is given out whole, once its last frame was proved by the cumulative checksum that
//   goes back to the log's header. Frames behind the last commit wait: SQLite may write them again.
// - Nothing past the wal-index's mxFrame is ever taken: before, a commit may still fail its sync.
// - A log with other salts is another generation and is read from its header on.

import Codec
import SQLite

/// One commit as it lies in a WAL.
struct LoggedCommit {
    /// Pages of the database after it.
    let pageCount: UInt32
    /// Its pages in ascending order, each with its newest frame; frames count from 1.
    let pages: [(page: UInt32, frame: UInt32)]
}

/// What was read of one WAL; decides, and does no I/O.
struct LogTail {
    let pageSize: Int
    let salts: UInt64
    private let isBigEndian: Bool
    /// The last frame of the last commit that was given out; 0 before the first.
    private(set) var frame: UInt32 = 0
    /// The wal-index's count of commits at that frame.
    private(set) var commits: UInt32
    /// The last frame that was proved.
    private(set) var provedFrame: UInt32 = 0
    /// The checksum of the last proved frame; nil before the log's header was read.
    private(set) var checksum: WALChecksum?
    /// Frames behind the last commit: their pages.
    private var waiting: [UInt32] = []

    var frameSize: Int { WALFrames.frameHeaderSize + pageSize }

    /// The beginning of the log that a wal-index tells of, after so many commits.
    init(of head: WALIndexHead, pageSize: Int, after commits: UInt32) {
        self.pageSize = pageSize
        self.commits = commits
        salts = head.salts
        isBigEndian = head.isBigEndian
    }

    /// The place behind the last commit that a wal-index tells of, all of which is known.
    init(behind head: WALIndexHead, pageSize: Int) {
        self.init(of: head, pageSize: pageSize, after: head.commits)
        frame = head.lastFrame
        provedFrame = head.lastFrame
        checksum = head.lastFrame == 0 ? nil : head.checksum
    }

    /// Where the next frame to prove begins in the file.
    var nextOffset: UInt64 { offset(ofFrame: provedFrame + 1) }

    /// Where a frame begins in the file.
    func offset(ofFrame frame: UInt32) -> UInt64 {
        UInt64(WALFrames.headerSize) + UInt64(frame - 1) * UInt64(frameSize)
    }

    /// Where a frame's page begins in the file.
    func pageOffset(ofFrame frame: UInt32) -> UInt64 {
        offset(ofFrame: frame) + UInt64(WALFrames.frameHeaderSize)
    }

    /// Takes the log's header; false where it is not the one of these salts.
    mutating func begin(with header: [UInt8]) -> Bool {
        let sum = header.withUnsafeBytes {
            WALFrames.checksum(
                ofHeader: $0, salts: salts, pageSize: pageSize, isBigEndian: isBigEndian)
        }
        checksum = sum
        return sum != nil
    }

    /// Takes whole frames that follow the last proved one, and gives out the commits they complete;
    /// nil where a frame is not of this log.
    mutating func take(_ bytes: UnsafeRawBufferPointer) -> [LoggedCommit]? {
        guard var sum = checksum else { return nil }
        var commits: [LoggedCommit] = []
        var start = 0
        while start < bytes.count {
            let frame = UnsafeRawBufferPointer(rebasing: bytes[start..<start + frameSize])
            guard WALFrames.prove(frame, salts: salts, isBigEndian: isBigEndian, sum: &sum) else {
                return nil
            }
            provedFrame += 1
            checksum = sum
            waiting.append(WALFrames.word(0, of: frame))
            let pageCount = WALFrames.word(4, of: frame)
            if pageCount > 0 { commits.append(complete(pageCount)) }
            start += frameSize
        }
        return commits
    }

    /// The wal-index counts anew after a recovery, which may come while it is read.
    mutating func count(as known: UInt32) { commits = known }

    private mutating func complete(_ pageCount: UInt32) -> LoggedCommit {
        var keys = waiting.enumerated().map { index, page in
            UInt64(page) << 32 | UInt64(frame) + UInt64(index) + 1
        }
        keys.sort()
        var pages: [(page: UInt32, frame: UInt32)] = []
        pages.reserveCapacity(keys.count)
        for key in keys {
            let page = UInt32(key >> 32)
            // SQLite drops what lies above the size of the commit.
            guard page > 0, page <= pageCount else { continue }
            if pages.last?.page == page { pages.removeLast() }
            pages.append((page, UInt32(truncatingIfNeeded: key)))
        }
        frame = provedFrame
        commits &+= 1
        waiting.removeAll(keepingCapacity: true)
        return LoggedCommit(pageCount: pageCount, pages: pages)
    }
}

extension LogTail {
    /// Proves a log from its header to a commit that is known; false where it is another log.
    mutating func skip(
        to known: LogState, in file: PagerFile, noting note: (LoggedCommit) -> Void
    ) throws(SQLiteError) -> Bool {
        guard begin(with: try file.bytes(WALFrames.headerSize, at: 0)) else { return false }
        return try advance(to: known, in: file, noting: note)
    }

    /// Proves what follows up to a commit that is known; false where it is another log.
    mutating func advance(
        to known: LogState, in file: PagerFile, noting note: (LoggedCommit) -> Void
    ) throws(SQLiteError) -> Bool {
        let perPortion = max(1, (1 << 20) / frameSize)
        while frame < known.lastFrame {
            let count = min(perPortion, Int(known.lastFrame - provedFrame))
            guard count > 0 else { return false }
            let bytes = try file.bytes(count * frameSize, at: nextOffset)
            guard let commits = bytes.withUnsafeBytes({ take($0) }) else { return false }
            for commit in commits { note(commit) }
        }
        guard let checksum else { return false }
        return known.checksum == UInt64(checksum.first) << 32 | UInt64(checksum.second)
    }
}
