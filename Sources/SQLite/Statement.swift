import CSQLite
package import Codec

/// A compiled statement of one connection.
///
/// Parameters count from 1, columns from 0. A binding that fails (no such parameter, too large) is
/// thrown by the next `step`.
package final class Statement {
    private let statement: OpaquePointer
    private let sql: String
    /// Keeps the connection open for as long as the statement lives.
    private let connection: Connection
    private var bindingCode = SQLITE_OK

    init(_ statement: OpaquePointer, sql: String, of connection: Connection) {
        self.statement = statement
        self.sql = sql
        self.connection = connection
    }

    deinit {
        sqlite3_finalize(statement)
    }

    private func note(_ code: CInt) {
        if bindingCode == SQLITE_OK { bindingCode = code }
    }

    /// Binds an integer.
    package func bind(_ value: Int64, at index: Int) {
        note(sqlite3_bind_int64(statement, CInt(clamping: index), value))
    }

    /// Binds a number with a fraction.
    package func bind(_ value: Double, at index: Int) {
        note(sqlite3_bind_double(statement, CInt(clamping: index), value))
    }

    /// Binds text; the bytes are copied.
    package func bind(_ text: String, at index: Int) {
        var text = text
        text.withUTF8 { bytes in
            let size = CInt(clamping: bytes.count)
            bytes.withMemoryRebound(to: CChar.self) {
                // Without an address SQLite would bind NULL.
                let code =
                    $0.isEmpty
                    ? holdfast_bind_text(statement, CInt(clamping: index), "", 0)
                    : holdfast_bind_text(statement, CInt(clamping: index), $0.baseAddress, size)
                note(code)
            }
        }
    }

    /// Binds a blob; the bytes are copied.
    package func bind(_ bytes: [UInt8], at index: Int) {
        bytes.withUnsafeBytes { bind($0, at: index) }
    }

    /// Binds a blob; the bytes are copied.
    package func bind(_ bytes: UnsafeRawBufferPointer, at index: Int) {
        let (index, size) = (CInt(clamping: index), CInt(clamping: bytes.count))
        // Without an address SQLite would bind NULL.
        note(
            bytes.isEmpty
                ? sqlite3_bind_zeroblob(statement, index, 0)
                : holdfast_bind_blob(statement, index, bytes.baseAddress, size))
    }

    /// Binds a digest as a blob of 32 bytes.
    package func bind(_ digest: Digest, at index: Int) {
        digest.withUnsafeBytes { bind($0, at: index) }
    }

    /// Binds NULL.
    package func bindNull(at index: Int) {
        note(sqlite3_bind_null(statement, CInt(clamping: index)))
    }

    /// Runs up to the next row; false where there is none.
    package func step() throws(SQLiteError) -> Bool {
        guard bindingCode == SQLITE_OK else {
            defer { bindingCode = SQLITE_OK }
            throw SQLiteError(
                code: bindingCode, message: String(cString: sqlite3_errstr(bindingCode)), sql: sql,
                path: connection.path)
        }
        switch sqlite3_step(statement) {
        case SQLITE_ROW: return true
        case SQLITE_DONE: return false
        case let code:
            let error = connection.error(code, sql: sql)
            sqlite3_reset(statement)
            throw error
        }
    }

    /// Makes the statement ready to run again; bindings stay.
    package func reset() {
        // Its code is that of the last step, which has been thrown there.
        sqlite3_reset(statement)
    }
}

extension Statement {
    /// Columns of a row.
    package var columnCount: Int { Int(sqlite3_column_count(statement)) }

    /// Whether a column is NULL.
    package func isNull(at column: Int) -> Bool {
        sqlite3_column_type(statement, CInt(clamping: column)) == SQLITE_NULL
    }

    /// A column as an integer; 0 for NULL.
    package func integer(at column: Int) -> Int64 {
        sqlite3_column_int64(statement, CInt(clamping: column))
    }

    /// A column as a number with a fraction; 0 for NULL.
    package func real(at column: Int) -> Double {
        sqlite3_column_double(statement, CInt(clamping: column))
    }

    /// A column as text; empty for NULL.
    package func text(at column: Int) -> String {
        let column = CInt(clamping: column)
        guard let text = sqlite3_column_text(statement, column) else { return "" }
        let size = Int(sqlite3_column_bytes(statement, column))
        return String(decoding: UnsafeBufferPointer(start: text, count: size), as: UTF8.self)
    }

    /// A column's bytes; empty for NULL.
    package func bytes(at column: Int) -> [UInt8] {
        withBytes(at: column) { Array($0) }
    }

    /// A column of exactly 32 bytes as a digest.
    package func digest(at column: Int) -> Digest? {
        withBytes(at: column) { $0.count == 32 ? Digest(bytes: $0) : nil }
    }

    private func withBytes<R>(at column: Int, _ body: (UnsafeRawBufferPointer) -> R) -> R {
        let column = CInt(clamping: column)
        let start = sqlite3_column_blob(statement, column)
        return body(
            UnsafeRawBufferPointer(
                start: start, count: start == nil ? 0 : Int(sqlite3_column_bytes(statement, column))
            ))
    }
}
