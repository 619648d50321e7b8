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

    /// Replaces the whole content of `target` by that of the source, in one transaction.
    ///
    /// Whoever has the target open sees the old content or the new, never a mixture, also after a
    /// crash; the target keeps its journal mode. Source: sqlite.org/c3ref/backup_finish.html.
    ///
    /// - Parameter expected: what lay there when it was decided to write over it.
    /// - Throws: busy where the target stays locked, or is another file by now; read-only where the
    ///   target is in WAL mode and has another page size.
    package func write(
        over target: FilePath, at place: DatabasePlace, expecting expected: FileStatus
    ) throws(SQLiteError) {
        let into = try Connection(
            opening: target, mode: .readWrite, busyTimeoutMilliseconds: 10_000, at: place)
        guard try into.isOpen(on: expected) else {
            throw SQLiteError(
                code: SQLITE_BUSY, message: "another file took its place", path: target)
        }
        try OnlineCopy.readOnce(into)
        guard let backup = sqlite3_backup_init(into.handle, "main", source.handle, "main") else {
            throw SQLiteError(code: sqlite3_extended_errcode(into.handle), path: target)
        }
        // All pages in one step: the target's write lock is held from the first page to the last.
        let result = sqlite3_backup_step(backup, -1)
        let finish = sqlite3_backup_finish(backup)
        guard result == SQLITE_DONE, finish == SQLITE_OK else {
            throw SQLiteError(code: result == SQLITE_DONE ? finish : result, path: target)
        }
        try into.close()
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
