import CSQLite
package import Platform
import SQLite

/// Why a database could not be read as one state.
package struct CaptureError: Error, Sendable, CustomStringConvertible {
    /// What kind of failure it was.
    package enum Code: Sendable, Hashable {
        /// Not SQLite, encrypted, damaged, or of a format this program does not know: as a plain
        /// file it can be copied all the same.
        case notADatabase
        /// Another connection kept it locked for longer than the busy timeout.
        case locked
        /// Missing, without permission, or not to be opened without leaving files its owner could
        /// not write.
        case unreadable
        /// It was replaced, or its page size changed, between two looks.
        case changedWhileReading
        /// Any other failure of libsqlite3.
        case sqlite
    }

    package let code: Code
    package let path: FilePath
    /// Why, in lower case.
    package let reason: String
    /// What to do about it, where there is something to do.
    package let hint: String?

    init(_ code: Code, _ path: FilePath, _ reason: String, hint: String? = nil) {
        self.code = code
        self.path = path
        self.reason = reason
        self.hint = hint
    }

    package var description: String {
        "cannot read the database \(path): \(reason)" + (hint.map { "\nhint: \($0)" } ?? "")
    }
}

extension CaptureError {
    init(_ error: SQLiteError, _ path: FilePath) {
        let reason = "\(error.message) (SQLite code \(error.code))"
        switch error.primaryCode {
        case SQLITE_BUSY, SQLITE_LOCKED, SQLITE_PROTOCOL:
            self.init(
                .locked, path, reason,
                hint: "Another process holds it locked; try again when that is done.")
        case SQLITE_NOTADB, SQLITE_CORRUPT:
            self.init(.notADatabase, path, reason)
        case SQLITE_READONLY where error.code == holdfast_readonly_rollback:
            self.init(
                .unreadable, path,
                "a journal lies beside it that has to be rolled back first, and that is not done "
                    + "for its owner where others could have put it there",
                hint: "Where the journal is genuine, open the database once as its owner: "
                    + "sqlite3 FILE .schema")
        case SQLITE_CANTOPEN, SQLITE_PERM, SQLITE_READONLY, SQLITE_AUTH:
            self.init(
                .unreadable, path, reason,
                hint: "Run as root or as the database's owner, who may write beside it.")
        default:
            self.init(.sqlite, path, reason)
        }
    }

    init(_ error: SystemError, _ path: FilePath) {
        self.init(.unreadable, path, "\(error.operation): \(error.errno)")
    }
}

/// Runs calls of libsqlite3 about one database, and says in a `CaptureError` what failed.
func capturing<R>(_ path: FilePath, _ body: () throws(SQLiteError) -> R) throws(CaptureError) -> R {
    do {
        return try body()
    } catch {
        throw CaptureError(error, path)
    }
}
