import Platform
import SQLite

/// One state of a database, to be read page by page.
///
/// Used by one thread: see `PagerFile`. Valid only inside the closure that it was handed to.
package final class DatabaseView {
    /// Bytes.
    package let pageSize: Int
    /// Pages of the state, the lock page among them; they count from 1.
    package let pageCount: UInt32
    /// What tells this state from others.
    package let identity: DatabaseIdentity

    private let path: FilePath
    private let database: PagerFile
    private let log: Log?
    private let lockPage: UInt32
    private var isValid = true

    /// The part of a state that lies in the WAL.
    struct Log {
        let file: PagerFile
        let frames: WALFrames
        let head: WALIndexHead
        /// Whether its checksums do not bear out what it holds: after a crash SQLite would cut it.
        var isBroken = false
        var state: LogState { head.state }
        /// Pages of the database; 0 where the log does not tell.
        var pageCount: UInt32 { head.pageCount }
    }

    /// - Throws: `notADatabase` where page 1 does not begin as it must, `changedWhileReading` where
    ///   the page size is another one by now.
    init(
        of path: FilePath, in database: PagerFile, log: Log?, mode: JournalMode, pageSize: Int,
        state: FileState
    ) throws(CaptureError) {
        self.path = path
        self.database = database
        self.log = log
        self.pageSize = pageSize
        lockPage = PageGeometry(pageSize: pageSize).lockPage
        let header = try capturing(path) { () throws(SQLiteError) in
            try DatabaseView.header(in: database, log: log)
        }
        guard case .database(let header) = header else {
            throw CaptureError(.notADatabase, path, "its first page is none of a database")
        }
        guard header.pageSize == pageSize else {
            throw CaptureError(.changedWhileReading, path, "its page size changed")
        }
        let size = try capturing(path) { () throws(SQLiteError) in try database.size() }
        // SQLite counts a last page that is not whole.
        let filed = UInt32(clamping: (size + UInt64(pageSize) - 1) / UInt64(pageSize))
        let told = log.flatMap { $0.pageCount > 0 ? $0.pageCount : nil } ?? header.pageCount
        // Each page is in the file or in the log (the lock page may be in neither); a wal-index
        // can tell of 2^32 pages, which would be hours of zeros.
        let proven = max(filed, log?.frames.lastPage ?? 0)
        if let told, told > proven, told != lockPage || proven != lockPage - 1 {
            throw CaptureError(
                .changedWhileReading, path,
                "its wal-index tells of \(told) pages, its file and WAL hold \(proven)")
        }
        let pageCount = told ?? filed
        self.pageCount = pageCount
        var state = state
        // Frames name the content by themselves, however new the file is, and unproved ones never.
        if let log, log.state.lastFrame > 0 { state.unsettled = log.isBroken ? 1 : 0 }
        identity = DatabaseIdentity(
            journalMode: mode, pageSize: pageSize, pageCount: pageCount,
            changeCounter: header.changeCounter, file: state, log: log?.state ?? LogState())
    }

    private static func header(
        in database: PagerFile, log: Log?
    ) throws(SQLiteError) -> DatabaseDetector.Answer {
        let frame = log?.frames.pages(from: 1, count: 1).first
        let bytes =
            if let log, let frame {
                try log.file.bytes(DatabaseHeader.size, at: frame.offset)
            } else {
                try database.bytes(DatabaseHeader.size, at: 0)
            }
        return bytes.withUnsafeBytes(DatabaseDetector.examine)
    }

    /// Reads adjacent pages; the lock page, which holds no data, reads as zeros.
    ///
    /// - Parameters:
    ///   - first: 1 or above.
    ///   - count: so that `first + count - 1` is at most `pageCount`.
    ///   - buffer: of exactly `count * pageSize` bytes.
    package func read(
        pagesFrom first: UInt32, count: Int, into buffer: UnsafeMutableRawBufferPointer
    ) throws(CaptureError) {
        precondition(isValid, "a database view is used after its transaction")
        precondition(first >= 1 && count >= 1 && Int(first) - 1 + count <= Int(pageCount))
        precondition(buffer.count == count * pageSize)
        try capturing(path) { () throws(SQLiteError) in
            let logged = log?.frames.pages(from: first, count: count) ?? []
            if logged.count < count {
                try database.read(into: buffer, at: UInt64(first - 1) * UInt64(pageSize))
            }
            for page in logged {
                let start = page.index * pageSize
                try log?.file.read(
                    into: UnsafeMutableRawBufferPointer(rebasing: buffer[start..<start + pageSize]),
                    at: page.offset)
            }
        }
        clearLockPage(from: first, count: count, in: buffer)
    }

    private func clearLockPage(
        from first: UInt32, count: Int, in buffer: UnsafeMutableRawBufferPointer
    ) {
        guard lockPage >= first, Int(lockPage) < Int(first) + count else { return }
        let start = Int(lockPage - first) * pageSize
        UnsafeMutableRawBufferPointer(rebasing: buffer[start..<start + pageSize])
            .initializeMemory(as: UInt8.self, repeating: 0)
    }

    /// What of the state lies in the WAL; nil in rollback mode.
    var logged: Log? { log }

    /// Ends the view's life.
    func invalidate() {
        isValid = false
    }
}
