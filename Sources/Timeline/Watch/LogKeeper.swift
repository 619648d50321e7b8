import CLinux
import Glibc
import Platform
import SQLite

/// Checkpoints one database, and holds its writers up for that where it must.
///
/// Each of its checkpoints runs while a reader of ours is held or under the write lock: so a commit
/// cannot reset the log under it, which SQLite up to 3.51.2 does not survive
/// (<https://www.sqlite.org/wal.html#walresetbug>).
final class LogKeeper {
    /// Nanoseconds between two tries for the write lock. SQLite's own sleeps are far longer than
    /// the moments a busy writer leaves free.
    private static let pauseMicroseconds: UInt32 = 20

    private let path: FilePath
    private let owner: FileStatus
    private let writer: Connection
    private let checkpointer: Connection
    /// For how long writers were held up at the longest, in nanoseconds.
    private(set) var longestLock: UInt64 = 0
    private var lockedSince: UInt64 = 0

    /// Opens the database for writing, with the rights of its owner.
    init(_ path: FilePath) throws(CaptureError) {
        let status: FileStatus
        do {
            status = try FileStatus.of(path, followingLinks: true)
        } catch {
            throw CaptureError(error, path)
        }
        self.path = path
        owner = status
        (writer, checkpointer) = try LogKeeper.asOwner(status) { () throws(CaptureError) in
            try capturing(path) { () throws(SQLiteError) in
                let pair = (try LogKeeper.open(path), try LogKeeper.open(path))
                // Never an automatic checkpoint of our own: each has its place in a sequence.
                for connection in [pair.0, pair.1] {
                    // A connection that never read does not know of the log.
                    try connection.execute("PRAGMA schema_version")
                    try connection.execute("PRAGMA wal_autocheckpoint = 0")
                    connection.keepLogOnClose()
                }
                return pair
            }
        }
    }

    private static func open(_ path: FilePath) throws(SQLiteError) -> Connection {
        try Connection(opening: path, mode: .readWrite, busyTimeoutMilliseconds: 0)
    }

    /// A journal beside a database may name any file as its super-journal, and SQLite removes that
    /// one: so it runs with the rights of the database's owner.
    private static func asOwner<R>(
        _ owner: FileStatus, _ body: () throws(CaptureError) -> R
    ) throws(CaptureError) -> R {
        guard geteuid() == 0, owner.userID != 0 else { return try body() }
        hold_act_as(owner.userID, owner.groupID)
        defer { hold_act_as(0, getegid()) }
        return try body()
    }

    private func capturingAsOwner<R>(
        _ body: () throws(SQLiteError) -> R
    ) throws(CaptureError) -> R {
        try LogKeeper.asOwner(owner) { () throws(CaptureError) in try capturing(path, body) }
    }

    /// Copies what no reader pins into the database; waits for nobody.
    func checkpoint() throws(CaptureError) {
        _ = try capturingAsOwner { () throws(SQLiteError) in try checkpointer.checkpoint(.passive) }
    }

    /// Empties the log's file where nobody uses it.
    func truncate() throws(CaptureError) {
        _ = try capturingAsOwner { () throws(SQLiteError) in
            try checkpointer.checkpoint(.truncate)
        }
    }

    /// Takes the write lock, trying for so many nanoseconds; false where it was never free.
    func lockWriters(patience: UInt64) throws(CaptureError) -> Bool {
        let deadline = monotonicNanoseconds() + patience
        repeat {
            do {
                try capturingAsOwner { () throws(SQLiteError) in
                    try writer.execute("BEGIN IMMEDIATE")
                }
                lockedSince = monotonicNanoseconds()
                return true
            } catch {
                guard error.code == .locked else { throw error }
            }
            usleep(LogKeeper.pauseMicroseconds)
        } while monotonicNanoseconds() < deadline
        return false
    }

    /// Gives the write lock back.
    func unlockWriters() {
        // A transaction that wrote nothing has nothing to lose; the lock goes with it in any case.
        try? writer.execute("ROLLBACK")
        longestLock = max(longestLock, monotonicNanoseconds() - lockedSince)
    }

    func close() {
        // What cannot be closed yet is closed when the keeper goes.
        try? writer.close()
        try? checkpointer.close()
    }
}
