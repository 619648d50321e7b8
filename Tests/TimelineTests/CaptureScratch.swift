import Glibc
import Platform
import SQLite
import Testing

@testable import Timeline

/// A directory with databases in it, gone when the test is.
final class CaptureScratch {
    let path: FilePath

    init() {
        var template = Array("/tmp/holdfast-capture-XXXXXX".utf8CString)
        mkdtemp(&template)
        path = FilePath(String(decoding: template.dropLast().map(UInt8.init), as: UTF8.self))
    }

    deinit {
        for name in names { remove(path.appending(name).description) }
        rmdir(path.description)
    }

    func file(_ name: String) -> FilePath { path.appending(name) }

    func open(_ name: String, _ sql: String = "") throws -> Connection {
        let connection = try Connection(
            opening: file(name), mode: .readWriteCreate, busyTimeoutMilliseconds: 1000)
        try connection.execute(sql)
        return connection
    }

    /// A database with a table `t` of random blobs; the connection that made it is still open.
    func makeDatabase(
        _ name: String, pageSize: Int = 4096, mode: String, autoVacuum: Int = 0, rows: Int = 200
    ) throws -> Connection {
        let connection = try open(
            name,
            """
            PRAGMA page_size = \(pageSize); PRAGMA auto_vacuum = \(autoVacuum);
            PRAGMA journal_mode = \(mode); PRAGMA synchronous = OFF;
            CREATE TABLE t (a INTEGER PRIMARY KEY, b BLOB);
            """)
        try insert(rows, into: connection)
        return connection
    }

    func insert(_ rows: Int, into connection: Connection) throws {
        try connection.execute(
            """
            WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n LIMIT \(rows))
                INSERT INTO t (b) SELECT randomblob(i * 7 % 3001) FROM n
            """)
    }

    var names: [String] {
        guard let directory = path.withCString({ opendir($0) }) else { return [] }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    func copy(_ name: String, to other: String) throws {
        write(try contents(name), to: other)
    }

    func contents(_ name: String) throws -> [UInt8] {
        let file = try #require(fopen(self.file(name).description, "r"))
        defer { fclose(file) }
        fseek(file, 0, SEEK_END)
        var bytes = [UInt8](repeating: 0, count: ftell(file))
        rewind(file)
        try #require(fread(&bytes, 1, bytes.count, file) == bytes.count)
        return bytes
    }

    func write(_ bytes: [UInt8], to name: String) {
        guard let file = fopen(self.file(name).description, "w") else { return }
        fwrite(bytes, 1, bytes.count, file)
        fclose(file)
    }
}

/// All pages of a view, 256 KiB at a time.
func bytes(of view: DatabaseView) throws -> [UInt8] {
    var bytes = [UInt8](repeating: 0xee, count: Int(view.pageCount) * view.pageSize)
    let step = (256 << 10) / view.pageSize
    try bytes.withUnsafeMutableBytes { bytes in
        var page = 0
        while page < Int(view.pageCount) {
            let count = min(step, Int(view.pageCount) - page)
            let range = page * view.pageSize..<(page + count) * view.pageSize
            try view.read(
                pagesFrom: UInt32(page) + 1, count: count,
                into: UnsafeMutableRawBufferPointer(rebasing: bytes[range]))
            page += count
        }
    }
    return bytes
}

/// The only value of the only row.
func value(_ sql: String, in connection: Connection) throws -> String {
    let statement = try connection.prepare(sql)
    #expect(try statement.step())
    return statement.text(at: 0)
}

/// What table `t` holds, as text.
func rows(in connection: Connection) throws -> String {
    try value(
        "SELECT group_concat(a || ':' || hex(b)) FROM (SELECT * FROM t ORDER BY a)", in: connection)
}
