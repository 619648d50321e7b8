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

    init(at path: FilePath, patience: Int) throws(CaptureError) {
        let status: FileStatus
        do {
            status = try FileStatus.of(path, followingLinks: true)
        } catch {
            throw CaptureError(error, path)
        }
        guard status.kind == .regular else {
            throw CaptureError(.notADatabase, path, "it is no regular file")
        }
        // Read-write where that is permitted, so that a hot journal or log can be recovered.
        let opened = try OpenedDatabase.open(path, .readWrite)
        let header = try OpenedDatabase.header(of: path, in: opened, patience: patience)
        let place = Neighbourhood(path: opened.connection.resolvedPath)
        isImmutable =
            header.journalMode == .wal && place.holdsNoFrames
            && Neighbourhood.isReadOnly(device: status.device)
        self.header = header
        (connection, file) = isImmutable ? try OpenedDatabase.open(path, .immutable) : opened
    }

    private static func open(
        _ path: FilePath, _ mode: Connection.Mode
    ) throws(CaptureError) -> (connection: Connection, file: PagerFile) {
        try capturing(path) { () throws(SQLiteError) in
            // Waiting is done between attempts: SQLite's own sleeps grow to 100 ms.
            let connection = try Connection(
                opening: path, mode: mode, busyTimeoutMilliseconds: 0)
            // A mapped file would change under a reader.
            try connection.execute("PRAGMA mmap_size = 0")
            return (connection, try connection.databaseFile())
        }
    }

    private static func header(
        of path: FilePath, in opened: (connection: Connection, file: PagerFile), patience: Int
    ) throws(CaptureError) -> DatabaseHeader {
        var answer = try examine(path, opened.file)
        if case .other = answer, try hasJournal(opened.connection) {
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

    private static func hasJournal(_ connection: Connection) throws(CaptureError) -> Bool {
        let journal = FilePath(bytes: connection.resolvedPath.bytes + Array("-journal".utf8))
        return ((try? FileStatus.of(journal, followingLinks: false))?.size ?? 0) > 0
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
                guard failure.code == .locked, monotonicNanoseconds() < deadline else {
                    throw failure
                }
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
