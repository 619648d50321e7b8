import CSQLite
package import Platform

/// A failure of libsqlite3, with what was being done.
///
/// Source: <https://www.sqlite.org/rescode.html>.
package struct SQLiteError: Error, Sendable, CustomStringConvertible {
    /// The extended result code.
    package let code: CInt
    /// What libsqlite3 said.
    package let message: String
    /// The statement that failed, where there was one.
    package let sql: String?
    /// The database.
    package let path: FilePath?

    package init(code: CInt, message: String, sql: String? = nil, path: FilePath? = nil) {
        self.code = code
        self.message = message
        self.sql = sql
        self.path = path
    }

    /// The code without what extends it.
    package var primaryCode: CInt { code & 0xff }

    /// Whether another connection holds a lock that is needed.
    package var isBusy: Bool { primaryCode == SQLITE_BUSY }

    /// Whether the file is no SQLite database, or an encrypted one.
    package var isNotADatabase: Bool { primaryCode == SQLITE_NOTADB }

    /// Whether the database is damaged.
    package var isCorrupt: Bool { primaryCode == SQLITE_CORRUPT }

    /// Whether there is no room for what had to be written, the shared memory included.
    package var isFull: Bool { primaryCode == SQLITE_FULL || code == holdfast_shm_size }

    package var description: String {
        var text = path.map { "\($0): " } ?? ""
        text += "\(message) (SQLite code \(code))"
        if let sql { text += ", in: \(sql)" }
        return text
    }
}

extension SQLiteError {
    /// The error of a call that has no connection to ask.
    package init(code: CInt, path: FilePath?) {
        self.init(code: code, message: String(cString: sqlite3_errstr(code)), path: path)
    }
}
