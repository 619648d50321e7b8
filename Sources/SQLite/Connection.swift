import CSQLite
package import Platform

/// A connection to one SQLite database.
///
/// Used by one thread at a time. It opens exactly one descriptor on the database; libsqlite3 keeps
/// that open while the process holds locks on the file, as POSIX locks demand.
package final class Connection {
    /// How a database is opened.
    package enum Mode: Sendable {
        /// The file must exist.
        case readOnly
        /// The file must exist; where it cannot be written it is opened for reading.
        case readWrite
        /// The file is made where there is none.
        case readWriteCreate
        /// For a file that nothing can change, as on a read-only filesystem: no locks, no WAL.
        case immutable
    }

    /// Bytes of the longest path by which libsqlite3 opens a database and what lies beside it.
    ///
    /// Source: MAX_PATHNAME in os_unix.c, 512, with room for a suffix and the NUL.
    package static let longestPath = 500

    package let path: FilePath
    /// libsqlite3's own handle, for calls that have no wrapper; nil after `close`.
    package private(set) var handle: OpaquePointer?

    /// Opens a database.
    ///
    /// - Parameters:
    ///   - busyTimeoutMilliseconds: how long to wait for locks of other connections.
    ///   - place: where it lies in a directory that is open, which must stay open; else its path
    ///     says. Then no super-journal of a journal beside it is touched.
    package init(
        opening path: FilePath, mode: Mode, busyTimeoutMilliseconds: Int,
        at place: DatabasePlace? = nil
    ) throws(SQLiteError) {
        self.path = path
        var opened: OpaquePointer?
        if place != nil {
            let code = holdfast_register_exact()
            guard code == SQLITE_OK else { throw SQLiteError(code: code, path: path) }
        }
        let name = FilePath(bytes: Connection.name(of: place?.name ?? path, mode))
        let code = name.withCString {
            sqlite3_open_v2(
                $0, &opened, Connection.flags(mode), place == nil ? nil : HOLDFAST_EXACT_VFS)
        }
        guard let opened, code == SQLITE_OK else {
            defer { sqlite3_close_v2(opened) }
            throw Connection.error(code, of: opened, path: path)
        }
        handle = opened
        sqlite3_extended_result_codes(opened, 1)
        sqlite3_busy_timeout(opened, CInt(clamping: busyTimeoutMilliseconds))
    }

    deinit {
        // Unlike sqlite3_close, this never refuses; statements keep their connection alive anyway.
        sqlite3_close_v2(handle)
    }

    private static func flags(_ mode: Mode) -> CInt {
        // NOMUTEX, since a connection is used by one thread at a time.
        let common = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE
        switch mode {
        case .readOnly: return common | SQLITE_OPEN_READONLY
        case .readWrite: return common | SQLITE_OPEN_READWRITE
        case .readWriteCreate: return common | SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE
        case .immutable: return common | SQLITE_OPEN_READONLY | SQLITE_OPEN_URI
        }
    }

    /// The name for sqlite3_open_v2, which may take what begins with `file:` or `:` for a URI or
    /// for a database in memory.
    private static func name(of path: FilePath, _ mode: Mode) -> [UInt8] {
        let bytes = path.isAbsolute ? path.bytes : Array("./".utf8) + path.bytes
        guard mode == .immutable else { return bytes }
        let digits = Array("0123456789ABCDEF".utf8)
        let escaped = bytes.flatMap { byte -> [UInt8] in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "-")...UInt8(ascii: "9"):
                [byte]
            default: [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return Array("file:".utf8) + escaped + Array("?immutable=1".utf8)
    }

    private static func error(
        _ code: CInt, of handle: OpaquePointer?, sql: String? = nil, path: FilePath
    ) -> SQLiteError {
        let message = handle.map { sqlite3_errmsg($0) } ?? sqlite3_errstr(code)
        return SQLiteError(
            code: handle.map { sqlite3_extended_errcode($0) } ?? code,
            message: message.map { String(cString: $0) } ?? "unknown", sql: sql, path: path)
    }

    /// The error of the call on this connection that failed last.
    func error(_ code: CInt, sql: String? = nil) -> SQLiteError {
        guard handle != nil else {
            return SQLiteError(
                code: SQLITE_MISUSE, message: "connection closed", sql: sql, path: path)
        }
        return Connection.error(code, of: handle, sql: sql, path: path)
    }

    /// Runs statements, separated by semicolons, that return nothing of interest.
    package func execute(_ sql: String) throws(SQLiteError) {
        let code = sqlite3_exec(handle, sql, nil, nil, nil)
        guard code == SQLITE_OK else { throw error(code, sql: sql) }
    }

    /// Compiles one statement.
    package func prepare(_ sql: String) throws(SQLiteError) -> Statement {
        var compiled: OpaquePointer?
        let code = sqlite3_prepare_v2(handle, sql, -1, &compiled, nil)
        guard code == SQLITE_OK else { throw error(code, sql: sql) }
        guard let compiled else {
            throw SQLiteError(code: SQLITE_MISUSE, message: "no statement", sql: sql, path: path)
        }
        return Statement(compiled, sql: sql, of: self)
    }

    /// Runs `body` in a write transaction that is committed when it returns, and rolled back when
    /// it or the commit throws.
    package func transaction<R>(_ body: () throws -> R) throws -> R {
        try execute("BEGIN IMMEDIATE")
        do {
            let result = try body()
            try execute("COMMIT")
            return result
        } catch {
            // Some errors make SQLite roll back by itself; what is to be thrown is the first error.
            if isInTransaction { try? execute("ROLLBACK") }
            throw error
        }
    }

    /// Whether a transaction was begun and not yet ended.
    package var isInTransaction: Bool {
        guard let handle else { return false }
        return sqlite3_get_autocommit(handle) == 0
    }

    /// Rows that the last INSERT, UPDATE or DELETE changed.
    package var changes: Int64 {
        guard let handle else { return 0 }
        return sqlite3_changes64(handle)
    }

    /// From now on closing leaves the log as it is, also where this is the last connection.
    ///
    /// Source: sqlite.org/c3ref/c_dbconfig_defensive.html, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE.
    package func keepLogOnClose() {
        // It fails for a misuse alone, and then closing does what it always does.
        _ = holdfast_keep_log(handle)
    }

    /// How far a checkpoint goes. Source: sqlite.org/c3ref/wal_checkpoint_v2.html.
    package enum Checkpoint: Sendable {
        /// Copies what no reader pins; waits for nobody.
        case passive
        /// Waits for writers and readers, and empties the log's file.
        case truncate
    }

    /// Copies the log into the database; false where others kept it from being done completely.
    package func checkpoint(_ mode: Checkpoint) throws(SQLiteError) -> Bool {
        var (logged, copied): (CInt, CInt) = (0, 0)
        let raw = mode == .passive ? SQLITE_CHECKPOINT_PASSIVE : SQLITE_CHECKPOINT_TRUNCATE
        let code = sqlite3_wal_checkpoint_v2(handle, "main", raw, &logged, &copied)
        if code & 0xff == SQLITE_BUSY { return false }
        guard code == SQLITE_OK else { throw error(code) }
        // -1: no log is open.
        return logged == copied && logged >= 0
    }

    /// Closes the connection.
    ///
    /// - Throws: where statements of it still exist; then it stays open.
    package func close() throws(SQLiteError) {
        let code = sqlite3_close(handle)
        guard code == SQLITE_OK else { throw error(code) }
        handle = nil
    }
}
