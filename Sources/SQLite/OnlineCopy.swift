import CSQLite
package import Platform

/// Copies one database over another through libsqlite3, for databases that are in use.
package struct OnlineCopy {
    private let source: Connection

    /// Opens what is to be copied; nothing more is opened of it afterwards, so that the writing
    /// may go on with other rights.
    package init(of source: FilePath, at place: DatabasePlace) throws(SQLiteError) {
        self.source = try Connection(
            opening: source, mode: .readWrite, busyTimeoutMilliseconds: 10_000, at: place)
        try self.source.execute("PRAGMA schema_version")
    }

    /// Takes the write lock of `target`, of which the whole content is to be replaced by the
    /// source's. Nobody else commits there until that is done or given up.
    ///
    /// Whoever has the target open sees the old content or the new, never a mixture, also after a
    /// crash; the target keeps its journal mode. Source: sqlite.org/c3ref/backup_finish.html.
    ///
    /// - Parameter expected: what lay there when it was decided to write over it.
    /// - Throws: busy where the target stays locked, or is another file by now; read-only where the
    ///   target is in WAL mode and has another page size.
    package func begin(
        over target: FilePath, at place: DatabasePlace, expecting expected: FileStatus
    ) throws(SQLiteError) -> OnlineWriting {
        let into = try Connection(
            opening: target, mode: .readWrite, busyTimeoutMilliseconds: 10_000, at: place)
        guard try into.isOpen(on: expected) else {
            throw SQLiteError(
                code: SQLITE_BUSY, message: "another file took its place", path: target)
        }
        try OnlineCopy.readOnce(into)
        return try OnlineWriting(from: source, into: into)
    }

    /// A first read, which tells a file that is no database before anything is begun.
    ///
    /// A hot journal that names a super-journal is rolled back by it, and is gone; the read fails
    /// all the same, since the super-journal is not opened.
    private static func readOnce(_ connection: Connection) throws(SQLiteError) {
        do {
            try connection.execute("PRAGMA schema_version")
        } catch {
            guard error.primaryCode == SQLITE_CANTOPEN else { throw error }
            try connection.execute("PRAGMA schema_version")
        }
    }

    /// Closes the source, and takes along what opening it made beside it.
    package func close() throws(SQLiteError) {
        try source.close()
    }
}

/// A database that is about to be replaced: its write lock is held, and nothing is written yet.
package final class OnlineWriting {
    private let into: Connection
    private var backup: OpaquePointer?

    fileprivate init(from source: Connection, into: Connection) throws(SQLiteError) {
        self.into = into
        backup = sqlite3_backup_init(into.handle, "main", source.handle, "main")
        guard backup != nil else {
            throw SQLiteError(code: sqlite3_extended_errcode(into.handle), path: into.path)
        }
        // No page: it takes the lock, in either mode, and keeps it until the backup is finished.
        let code = sqlite3_backup_step(backup, 0)
        guard code == SQLITE_OK || code == SQLITE_DONE else {
            end()
            throw SQLiteError(code: code, path: into.path)
        }
    }

    deinit {
        end()
    }

    /// Replaces the content, and commits.
    package func finish() throws(SQLiteError) {
        let result = sqlite3_backup_step(backup, -1)
        let code = end()
        guard result == SQLITE_DONE, code == SQLITE_OK else {
            throw SQLiteError(code: result == SQLITE_DONE ? code : result, path: into.path)
        }
        try into.close()
    }

    /// Leaves the database as it is.
    package func giveUp() throws(SQLiteError) {
        end()
        try into.close()
    }

    @discardableResult
    private func end() -> CInt {
        defer { backup = nil }
        return sqlite3_backup_finish(backup)
    }
}
