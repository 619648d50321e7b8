// Raw reads of a database's files through the descriptors libsqlite3 has open anyway.
//
// POSIX locks belong to a process and a file: closing any descriptor on the file drops them all.
// So who holds locks through libsqlite3 must not open the database, or its -shm, a second time;
// the file objects of the connection itself are the only safe way to their bytes.

import CSQLite
import Glibc
package import Platform

/// A file that a connection has open: its database, or in WAL mode its `-wal`.
///
/// Used by one thread, the connection's: where libsqlite3 was built without pread it moves the
/// descriptor's offset. Valid until the connection closes; a `-wal` until its transaction ends.
package struct PagerFile {
    private let file: UnsafeMutablePointer<sqlite3_file>
    private let path: FilePath

    fileprivate init(_ file: UnsafeMutablePointer<sqlite3_file>, path: FilePath) {
        self.file = file
        self.path = path
    }

    /// Fills the buffer from an offset; what lies past the file's end reads as zeros.
    ///
    /// - Returns: whether the file reached to the buffer's end.
    @discardableResult
    package func read(
        into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64
    ) throws(SQLiteError) -> Bool {
        let code = holdfast_file_read(
            file, buffer.baseAddress, CInt(clamping: buffer.count), Int64(clamping: offset))
        if code == holdfast_short_read { return false }
        guard code == SQLITE_OK else { throw SQLiteError(code: code, path: path) }
        return true
    }

    /// So many bytes from an offset; what lies past the file's end reads as zeros.
    package func bytes(_ count: Int, at offset: UInt64) throws(SQLiteError) -> [UInt8] {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: count, alignment: 8)
        defer { buffer.deallocate() }
        try read(into: buffer, at: offset)
        return Array(buffer)
    }

    /// The file's size in bytes.
    package func size() throws(SQLiteError) -> UInt64 {
        var size: Int64 = 0
        let code = holdfast_file_size(file, &size)
        guard code == SQLITE_OK else { throw SQLiteError(code: code, path: path) }
        return UInt64(clamping: size)
    }

    /// Both copies of the wal-index header and the words nBackfill and nBackfillAttempted, 104
    /// bytes in the host's order.
    ///
    /// Only for the database's file, in WAL mode, inside a transaction.
    package func walIndexHead() throws(SQLiteError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: Int(HOLDFAST_WAL_INDEX_BYTES))
        let code = holdfast_wal_index(file, &bytes)
        guard code == SQLITE_OK else { throw SQLiteError(code: code, path: path) }
        return bytes
    }
}

extension Connection {
    /// The database's file.
    package func databaseFile() throws(SQLiteError) -> PagerFile {
        try file(SQLITE_FCNTL_FILE_POINTER)
    }

    /// The `-wal`, inside a transaction in WAL mode.
    package func journalFile() throws(SQLiteError) -> PagerFile {
        try file(SQLITE_FCNTL_JOURNAL_POINTER)
    }

    private func file(_ operation: CInt) throws(SQLiteError) -> PagerFile {
        var file: UnsafeMutablePointer<sqlite3_file>?
        let code = sqlite3_file_control(handle, "main", operation, &file)
        guard code == SQLITE_OK else { throw error(code) }
        guard let file, holdfast_file_is_open(file) != 0 else {
            throw SQLiteError(code: SQLITE_MISUSE, message: "the file is not open", path: path)
        }
        return PagerFile(file, path: path)
    }

    /// Whether the file that was opened no longer lies at its path.
    package func hasMoved() throws(SQLiteError) -> Bool {
        var moved: CInt = 0
        let code = sqlite3_file_control(handle, "main", SQLITE_FCNTL_HAS_MOVED, &moved)
        // Files that cannot move, as those of other VFSes, do not know the question.
        guard code == SQLITE_OK || code == SQLITE_NOTFOUND else { throw error(code) }
        return moved != 0
    }

    /// Whether the file that was opened is the one that an earlier look saw at its path, and still
    /// lies there.
    package func isOpen(on expected: FileStatus) throws(SQLiteError) -> Bool {
        guard try !hasMoved(), let now = try? FileStatus.of(resolvedPath, followingLinks: false)
        else { return false }
        return now.device == expected.device && now.inode == expected.inode
    }

    /// The database's absolute path without symbolic links, beside which libsqlite3 keeps its
    /// `-wal`, `-shm` and `-journal`.
    package var resolvedPath: FilePath {
        guard let name = sqlite3_db_filename(handle, "main") else { return path }
        return FilePath(bytes: Array(UnsafeRawBufferPointer(start: name, count: strlen(name))))
    }
}
