import CSQLite
package import Platform

/// Copies one database over another through libsqlite3, for databases that are in use.
package enum OnlineCopy {
    /// Replaces the whole content of `target` by that of `source`, in one transaction.
    ///
    /// Whoever has the target open sees the old content or the new, never a mixture, also after a
    /// crash; the target keeps its journal mode. Source: sqlite.org/c3ref/backup_finish.html.
    ///
    /// - Throws: busy where the target stays locked; read-only where the target is in WAL mode and
    ///   has another page size.
    package static func copy(from source: FilePath, into target: FilePath) throws(SQLiteError) {
        let from = try Connection(
            opening: source, mode: .readWrite, busyTimeoutMilliseconds: 10_000)
        let into = try Connection(
            opening: target, mode: .readWrite, busyTimeoutMilliseconds: 10_000)
        // A first read tells a file that is no database before anything is begun.
        try into.execute("PRAGMA schema_version")
        guard let backup = sqlite3_backup_init(into.handle, "main", from.handle, "main") else {
            throw SQLiteError(code: sqlite3_extended_errcode(into.handle), path: target)
        }
        // All pages in one step: the target's write lock is held from the first page to the last.
        let result = sqlite3_backup_step(backup, -1)
        let finish = sqlite3_backup_finish(backup)
        guard result == SQLITE_DONE, finish == SQLITE_OK else {
            throw SQLiteError(code: result == SQLITE_DONE ? finish : result, path: target)
        }
        try into.close()
        try from.close()
    }
}
