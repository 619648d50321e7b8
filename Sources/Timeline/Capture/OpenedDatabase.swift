import CLinux
import CSQLite
import Glibc
import Platform
import SQLite

/// A database that was opened and found to be one.
struct OpenedDatabase {
    let connection: Connection
    let file: PagerFile
    let header: DatabaseHeader
    /// Whether it lies, in WAL mode and without frames, on a read-only filesystem: there SQLite
    /// cannot make the `-shm` that it needs, and nobody else can either.
    let isImmutable: Bool
    /// The file, where it is another user's and its log was not there before we came.
    let visited: FileStatus?

    init(at location: DatabaseLocation, patience: Int) throws(CaptureError) {
        let path = location.path
        let (resolved, status) = try location.look()
        guard status.kind == .regular else {
            throw CaptureError(.notADatabase, path, "it is no regular file")
        }
        // Our own is opened read-write, so that a hot journal can be rolled back. What others can
        // put beside it must not be rolled back with our rights: a journal may name any file as
        // its super-journal, and SQLite removes that one (pager.c, pager_delsuper).
        let isClosed = geteuid() != 0 || DirectoryAccess.belongs(resolved, to: status.userID)
        let isOurs = status.userID == geteuid() && isClosed
        if !isOurs, isClosed, OpenedDatabase.hasJournal(resolved) {
            OpenedDatabase.visit(resolved, asOwnerOf: status, patience: patience)
        }
        // By the path that was looked at, where only we could lead it elsewhere by now.
        let isSafe = isOurs && resolved.bytes.count <= Connection.longestPath
        let place = location.prefersPath && isSafe ? nil : location.place
        let opened = try OpenedDatabase.open(resolved, isOurs ? .readWrite : .readOnly, at: place)
        try location.require(opened.connection)
        let header = try OpenedDatabase.header(of: path, in: opened, patience: patience)
        let beside = Neighbourhood(path: opened.connection.resolvedPath)
        isImmutable =
            header.journalMode == .wal && beside.holdsNoFrames
            && Neighbourhood.isReadOnly(device: status.device)
        let leavesNothing = isOurs || header.journalMode != .wal || beside.hasLog
        visited = leavesNothing || !isClosed ? nil : status
        self.header = header
        (connection, file) =
            isImmutable ? try OpenedDatabase.open(resolved, .immutable, at: place) : opened
    }

    private static func open(
        _ path: FilePath, _ mode: Connection.Mode, at place: DatabasePlace? = nil
    ) throws(CaptureError) -> (connection: Connection, file: PagerFile) {
        try capturing(path) { () throws(SQLiteError) in
            // Waiting is done between attempts: SQLite's own sleeps grow to 100 ms.
            let connection = try Connection(
                opening: path, mode: mode, busyTimeoutMilliseconds: 0, at: place)
            // A mapped file would change under a reader.
            try connection.execute("PRAGMA mmap_size = 0")
            return (connection, try connection.databaseFile())
        }
    }

    private static func header(
        of path: FilePath, in opened: (connection: Connection, file: PagerFile), patience: Int
    ) throws(CaptureError) -> DatabaseHeader {
        var answer = try examine(path, opened.file)
        if case .other = answer, hasJournal(opened.connection.resolvedPath) {
            // A transaction that was cut short may have left half a header; its journal mends it.
            _ = try opened.connection.beginReading(path, patience: patience)
            defer { try? opened.connection.execute("ROLLBACK") }
            answer = try examine(path, opened.file)
        }
        switch answer {
        case .database(let header): return header
        case .unsupported(let reason): throw CaptureError(.notADatabase, path, reason)
        case .other:
            throw CaptureError(.notADatabase, path, "it does not begin as a SQLite database does")
        }
    }

    private static func hasJournal(_ database: FilePath) -> Bool {
        let journal = FilePath(bytes: database.bytes + Array("-journal".utf8))
        return ((try? FileStatus.of(journal, followingLinks: false))?.size ?? 0) > 0
    }

    /// Opens a database for a moment with its owner's rights, where we may: a hot journal is rolled
    /// back, and who closes it last removes the log.
    static func visit(_ path: FilePath, asOwnerOf owner: FileStatus, patience: Int) {
        guard geteuid() == 0 else { return }
        hold_act_as(owner.userID, owner.groupID)
        defer { hold_act_as(0, getegid()) }
        do {
            let opened = try open(path, .readWrite)
            _ = try opened.connection.beginReading(path, patience: patience)
            try opened.connection.execute("ROLLBACK")
            try opened.connection.close()
        } catch {
            return  // reading it meets the error again, and reports it
        }
    }

    /// Runs `body`, which writes over a database that is there, with rights under which nothing
    /// that lies beside it does harm: ours where nobody else can put anything there, else its
    /// owner's.
    ///
    /// - Throws: `unreadable` where there are no such rights; what `body` throws.
    static func writing<R>(
        over location: DatabaseLocation, _ body: () throws -> R
    ) throws -> R {
        let (resolved, status) = try location.look()
        let isOurs = status.userID == geteuid() || !hasJournal(resolved)
        // An ordinary user writes with his own rights where any program of his would.
        if isOurs, geteuid() != 0 || DirectoryAccess.belongs(resolved, to: 0) { return try body() }
        guard geteuid() == 0, status.userID != 0,
            DirectoryAccess.belongs(resolved, to: status.userID)
        else {
            throw CaptureError(
                .unreadable, location.path,
                "others can write beside it, and what they put there could make SQLite remove any "
                    + "file of yours",
                hint: "Let only its owner write in its directory, or restore to another one.")
        }
        hold_act_as(status.userID, status.groupID)
        defer { hold_act_as(0, getegid()) }
        return try body()
    }

    private static func examine(
        _ path: FilePath, _ file: PagerFile
    ) throws(CaptureError) -> DatabaseDetector.Answer {
        let bytes = try capturing(path) { () throws(SQLiteError) in
            try file.bytes(DatabaseHeader.size, at: 0)
        }
        return bytes.withUnsafeBytes(DatabaseDetector.examine)
    }
}

extension Connection {
    /// Begins a transaction and takes the read lock, trying for so many milliseconds; returns when
    /// the lock was asked for, in nanoseconds.
    func beginReading(_ path: FilePath, patience: Int) throws(CaptureError) -> UInt64 {
        let deadline = monotonicNanoseconds() + UInt64(clamping: patience) * 1_000_000
        var pauseMicroseconds: UInt32 = 100
        while true {
            let began = monotonicNanoseconds()
            do {
                // Reading a cookie takes the lock as any query does, and needs no schema that
                // can be parsed.
                try execute("BEGIN; PRAGMA schema_version")
                return began
            } catch {
                if isInTransaction { try? execute("ROLLBACK") }
                let failure = CaptureError(error, path)
                // A journal may look hot for the moment in which a writer finishes with it.
                guard failure.code == .locked || error.code == holdfast_readonly_rollback,
                    monotonicNanoseconds() < deadline
                else { throw failure }
            }
            usleep(pauseMicroseconds)
            pauseMicroseconds = min(5000, pauseMicroseconds + 100)
        }
    }

    /// The journal mode this connection reads in.
    func journalMode() throws(SQLiteError) -> JournalMode {
        let statement = try prepare("PRAGMA journal_mode")
        return try statement.step() && statement.text(at: 0) == "wal" ? .wal : .rollback
    }
}

/// Time that only moves forward.
func monotonicNanoseconds() -> UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
}
