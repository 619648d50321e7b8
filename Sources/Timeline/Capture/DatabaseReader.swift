// Reads one SQLite database as a single state, while other processes use it.
//
// A read transaction of libsqlite3 holds the state; the pages are then read raw, through the file
// objects of the connection (see PagerFile.swift for why no other descriptor may be opened).
//
// Rollback mode: under the SHARED lock nobody writes the file, so the file is the state.
//
// WAL mode: the state is that of the wal-index header as it is read after the transaction began,
// its last frame called m; a page's newest frame up to m counts, else the file. That state stays
// readable until the transaction ends, whatever others do. Let M be the connection's own mark.
//  - With READ_LOCK(n > 0) the log cannot be reset, so frames up to m ≥ M stay; checkpoints stop at
//    M, so the file never gets ahead of m.
//  - With READ_LOCK(0) all frames up to M were in the file when the transaction began, and nothing
//    more is copied there. Frames that are not in the file yet keep the log from being reset: so it
//    is reset once at most, and when the header is read either all of m is in the file and no frame
//    is needed, or the frames up to m stay.
// So a busy writer cannot starve the reader: no two looks at the header, before and after, need to
// agree. The scan proves the frames by the cumulative checksum that the header has of frame m;
// where SQLite itself left it broken (WALFrames.swift) they are what it reads all the same.

import Glibc
package import Platform
import SQLite

/// Reads one SQLite database as it was at one instant.
///
/// Used by one thread. While it is open, nothing in this process may open the database's file or
/// its `-shm` by other means: closing that would drop the locks.
package final class DatabaseReader {
    /// Nanoseconds to wait for a writer that was interrupted while it wrote the wal-index's header:
    /// on a busy machine it does not run again for a while.
    private static let headPatience: UInt64 = 1_000_000_000
    private static let headPauseMicroseconds: UInt32 = 50
    private static let scanAttempts = 3

    package let path: FilePath
    /// Bytes.
    package let pageSize: Int
    /// As of the last look.
    package private(set) var journalMode: JournalMode
    /// For how long writers were held up at the longest; 0 in WAL mode.
    package private(set) var longestHoldNanoseconds: UInt64 = 0

    private let connection: Connection
    private let file: PagerFile
    private let neighbourhood: Neighbourhood
    private var heldView: DatabaseView?
    private var isHolding = false
    private let isImmutable: Bool
    private let visited: FileStatus?
    private let busyTimeoutMilliseconds: Int

    /// Opens a database without touching what it holds.
    ///
    /// - Throws: `notADatabase`, `unreadable`, `locked` or `sqlite`.
    package convenience init(
        opening path: FilePath, busyTimeoutMilliseconds: Int = 10_000
    ) throws(CaptureError) {
        try self.init(DatabaseLocation(path), busyTimeoutMilliseconds: busyTimeoutMilliseconds)
    }

    /// Opens a database without touching what it holds.
    ///
    /// - Throws: `notADatabase`, `unreadable`, `locked`, `sqlite`; `changedWhileReading` where it
    ///   is another file than the one expected.
    package init(
        _ location: DatabaseLocation, busyTimeoutMilliseconds: Int = 10_000
    ) throws(CaptureError) {
        let opened = try OpenedDatabase(at: location, patience: busyTimeoutMilliseconds)
        path = location.path
        self.busyTimeoutMilliseconds = busyTimeoutMilliseconds
        connection = opened.connection
        file = opened.file
        pageSize = opened.header.pageSize
        journalMode = opened.header.journalMode
        isImmutable = opened.isImmutable
        visited = opened.visited
        neighbourhood = Neighbourhood(path: opened.connection.resolvedPath)
    }

    /// Closes the database and leaves its log as it is: for one that is damaged, whose log somebody
    /// may still need.
    package func closeUntouched() {
        connection.keepLogOnClose()
        close()
    }

    /// Closes the database; as the last connection in WAL mode it checkpoints and removes the log,
    /// as any connection does.
    package func close() {
        // What cannot be closed yet is closed when the reader goes.
        try? connection.close()
        // Opened read-only, it left the log that it made.
        if let visited {
            OpenedDatabase.visit(neighbourhood.path, asOwnerOf: visited, patience: 0)
        }
    }

    /// Runs `body` with the state that the database has now.
    ///
    /// In rollback mode writers wait until `body` returns; in WAL mode nobody does.
    ///
    /// - Throws: `CaptureError`, and what `body` throws.
    package func withSnapshot<R>(_ body: (DatabaseView) throws -> R) throws -> R {
        if isHolding { return try body(viewOfHeldState()) }
        let began = try begin()
        defer { end(since: began) }
        let view = try look()
        defer { view.invalidate() }
        return try body(view)
    }

    /// Runs `body` without a lock, in rollback mode; in WAL mode it is `withSnapshot`.
    ///
    /// The view's identity was taken under the lock. What `body` read counts only where a later
    /// `withSnapshot` has an equal identity; else any of its pages may be torn or of any time.
    package func withoutLock<R>(_ body: (DatabaseView) throws -> R) throws -> R {
        let began = try begin()
        guard journalMode == .rollback else {
            defer { end(since: began) }
            let view = try look()
            defer { view.invalidate() }
            return try body(view)
        }
        let result = Result { try look() }
        end(since: began)
        let view = try result.get()
        defer { view.invalidate() }
        return try body(view)
    }

    /// Whether the content is certainly what it was when `fingerprint`, an encoded identity, was
    /// taken. False also where that cannot be told without reading.
    package func isUnchanged(since fingerprint: [UInt8]) throws -> Bool {
        guard let known = try? DatabaseIdentity(decoding: fingerprint), known.isSettled else {
            return false
        }
        if known.log == LogState() {
            guard try lookAtFile() == known.file else { return false }
            // Nobody has frames that count: no need to attach, which would make files for a moment.
            if known.journalMode == .wal, neighbourhood.holdsNoFrames { return true }
        }
        return try withSnapshot { $0.identity } == known
    }
}

extension DatabaseReader {
    /// Begins a read transaction and keeps it open until ``letGo()``: in WAL mode no frame behind
    /// this moment is overwritten or copied into the database while it lasts.
    func hold() throws(CaptureError) {
        _ = try begin()
        isHolding = true
    }

    /// Ends what ``hold()`` began.
    func letGo() {
        heldView?.invalidate()
        heldView = nil
        guard isHolding else { return }
        isHolding = false
        end(since: monotonicNanoseconds())
    }

    /// The one state that all looks under one ``hold()`` see.
    func viewOfHeldState() throws -> DatabaseView {
        precondition(isHolding)
        if let heldView { return heldView }
        let view = try look()
        heldView = view
        return view
    }

    /// What readers that begin now would see, and how many frames the database has of it.
    func head() throws(CaptureError) -> (head: WALIndexHead, backfilled: UInt32) {
        precondition(isHolding)
        return try readHead()
    }

    /// Whether nobody has committed since the state that is held, else since a look without a lock;
    /// asked while somebody's write lock keeps everybody from committing.
    func isUncommitted(since identity: DatabaseIdentity) throws -> Bool {
        if isHolding { return try viewOfHeldState().logged?.head == readHead().head }
        let bytes = try capturing(path) { () throws(SQLiteError) in
            try file.bytes(DatabaseHeader.size, at: 0)
        }
        guard case .database(let header) = bytes.withUnsafeBytes(DatabaseDetector.examine),
            header.journalMode == .rollback
        else { return false }
        // Each transaction counts it up, by which SQLite itself knows whether its pages are good.
        return header.changeCounter == identity.changeCounter
    }

    /// Frames of the log of which a checkpoint has, or may have, copied pages into the database.
    func touchedFrames() throws(CaptureError) -> UInt32 {
        precondition(isHolding)
        return try capturing(path) { () throws(SQLiteError) in
            WALIndexHead.touched(try file.walIndexHead())
        }
    }

    /// The database's file, and its log while this reader holds a state.
    func files() throws(CaptureError) -> (database: PagerFile, log: PagerFile) {
        precondition(isHolding)
        let log = try capturing(path) { () throws(SQLiteError) in try connection.journalFile() }
        return (file, log)
    }

    /// Begins a read transaction; returns when the lock was asked for, in nanoseconds.
    private func begin() throws(CaptureError) -> UInt64 {
        if !isImmutable {
            try neighbourhood.requireUsableFiles(isLogged: journalMode == .wal)
        }
        let began = try connection.beginReading(path, patience: busyTimeoutMilliseconds)
        do {
            try examine()
            return began
        } catch {
            end(since: began)
            throw error
        }
    }

    private func examine() throws(CaptureError) {
        let (moved, mode) = try capturing(path) { () throws(SQLiteError) in
            (try connection.hasMoved(), try connection.journalMode())
        }
        guard !moved else {
            throw CaptureError(.changedWhileReading, path, "it was moved, removed or replaced")
        }
        if !isImmutable { journalMode = mode }
    }

    private func end(since began: UInt64) {
        // A read transaction has nothing to lose, and the connection is closed if it stays open.
        try? connection.execute("ROLLBACK")
        guard journalMode == .rollback else { return }
        longestHoldNanoseconds = max(longestHoldNanoseconds, monotonicNanoseconds() - began)
    }

    private func lookAtFile() throws(CaptureError) -> FileState {
        do {
            return try FileState.look(at: neighbourhood.path)
        } catch {
            throw CaptureError(error, path)
        }
    }

    private func look() throws(CaptureError) -> DatabaseView {
        let log = journalMode == .wal && !isImmutable ? try lookAtLog() : nil
        return try DatabaseView(
            of: path, in: file, log: log, mode: journalMode, pageSize: pageSize,
            state: try lookAtFile())
    }

    private func lookAtLog() throws(CaptureError) -> DatabaseView.Log {
        let log = try capturing(path) { () throws(SQLiteError) in try connection.journalFile() }
        for _ in 0..<DatabaseReader.scanAttempts {
            let (head, backfilled) = try readHead()
            // A log that never held a frame does not know the page size.
            guard head.lastFrame == 0 || head.pageSize == pageSize else {
                throw CaptureError(.changedWhileReading, path, "its page size changed")
            }
            let frames = try capturing(path) { () throws(SQLiteError) in
                backfilled >= head.lastFrame
                    ? WALFrames.none(pageSize: pageSize) : try WALFrames(in: log, upTo: head)
            }
            if let frames { return DatabaseView.Log(file: log, frames: frames, head: head) }
        }
        let head = try readHead().head
        let frames = try capturing(path) { () throws(SQLiteError) in
            try WALFrames(in: log, upTo: head, isProved: false)
        }
        if let frames {
            return DatabaseView.Log(file: log, frames: frames, head: head, isBroken: true)
        }
        throw CaptureError(
            .changedWhileReading, path, "its WAL does not hold what its wal-index says")
    }

    private func readHead() throws(CaptureError) -> (head: WALIndexHead, backfilled: UInt32) {
        let deadline = monotonicNanoseconds() + DatabaseReader.headPatience
        repeat {
            let looks = try capturing(path) { () throws(SQLiteError) in
                (try file.walIndexHead(), try file.walIndexHead())
            }
            // The same header before and after nBackfill was read: it belongs to it.
            if let look = WALIndexHead.parse(looks.0),
                let again = WALIndexHead.parse(looks.1), again.head == look.head
            {
                return look
            }
            usleep(DatabaseReader.headPauseMicroseconds)
        } while monotonicNanoseconds() < deadline
        throw CaptureError(.changedWhileReading, path, "its wal-index does not hold still")
    }
}
