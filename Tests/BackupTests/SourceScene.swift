import Codec
import Glibc
import Platform
import SQLite
import Simulation
import Testing

/// What a source held at the moment of a backup.
struct SourceState: Sendable {
    /// Bytes of each regular file, by its path from the source; the database is none of them.
    var files: [String: [UInt8]]
    /// All rows of the database.
    var rows: String
}

/// A small tree of real files with a live database, changed by a seed.
final class SourceScene {
    static let database = "data/app.db"

    let path: FilePath
    private(set) var state = SourceState(files: [:], rows: "")
    private let folder = ScratchFolder()
    private let random: SeededRandomness
    /// Open all the time, so that the newest rows lie in the WAL.
    private let connection: Connection

    /// Bytes of the large files that are there from the beginning and that come with each change.
    private let largeBytes: (first: Int, later: Int)

    /// - Parameter isSmall: leaves out files so large that a pack is written in several writes.
    init(seed: UInt64, journalMode: String = "wal", isSmall: Bool = false) throws {
        largeBytes = isSmall ? (60_000, 20_000) : (1_100_000, 520_000)
        random = SeededRandomness(seed: seed)
        path = try folder.folder("source")
        for name in ["data", "docs", "docs/deep", "empty"] {
            try LinuxDisk().makeDirectory(path.appending(relative: name))
        }
        connection = try Connection(
            opening: path.appending(relative: SourceScene.database), mode: .readWriteCreate,
            busyTimeoutMilliseconds: 1000)
        try connection.execute(
            """
            PRAGMA page_size = 1024; PRAGMA journal_mode = \(journalMode);
            PRAGMA synchronous = OFF; PRAGMA wal_autocheckpoint = 40;
            CREATE TABLE t (a INTEGER PRIMARY KEY, b BLOB);
            """)
        for number in 0..<24 {
            let folder = ["data", "docs", "docs/deep"][number % 3]
            try write("\(folder)/file-\(number)", random.bytes(random.below(3000)))
        }
        try write("docs/nothing", [])
        try write("docs/large", random.bytes(largeBytes.first))
        _ = path.appending(relative: "docs/link").withCString { symlink("large", $0) }
        try addRows(150)
    }

    private func write(_ name: String, _ bytes: [UInt8]) throws {
        try ScratchFolder.write(bytes, to: path.appending(relative: name))
        state.files[name] = bytes
    }

    private func addRows(_ count: Int) throws {
        for _ in 0..<count / 10 {
            let values = (0..<10).map { _ in "(x'\(random.bytes(20 + random.below(200)).hex)')" }
            try connection.execute(
                "INSERT INTO t (b) VALUES \(values.joined(separator: ","))")
        }
        try noteRows()
    }

    private func noteRows() throws {
        state.rows = try SourceScene.rows(in: connection)
    }

    /// What the database holds, as text.
    static func rows(in connection: Connection) throws -> String {
        let statement = try connection.prepare(
            "SELECT group_concat(a || ':' || hex(b)) FROM (SELECT * FROM t ORDER BY a)")
        try #require(try statement.step())
        return statement.text(at: 0)
    }

    /// Changes, adds and removes a few files, and rows of the database.
    func change() throws {
        let names = state.files.keys.sorted().filter { $0 != "docs/large" }
        for _ in 0..<4 {
            let name = names[random.below(names.count)]
            try write(name, random.bytes(random.below(3000)))
        }
        let gone = names[random.below(names.count)]
        _ = path.appending(relative: gone).withCString { unlink($0) }
        state.files[gone] = nil
        // Together past a pack's first write of 1 MiB.
        for _ in 0..<2 {
            try write("data/new-\(random.below(1 << 30))", random.bytes(largeBytes.later))
        }
        let value = random.bytes(60).hex
        try connection.execute(
            "UPDATE t SET b = x'\(value)' WHERE a % 11 = \(random.below(11))")
        try addRows(30)
    }

    /// Holds a restored tree against a state; answers what differs.
    static func differences(_ restored: FilePath, _ state: SourceState) throws -> [String] {
        var found: [String] = []
        for (name, bytes) in state.files {
            let path = restored.appending(relative: name)
            do {
                if try !isSame(Descriptor.contents(of: path, limit: 1 << 23), bytes) {
                    found.append("\(name) is another one")
                }
            } catch {
                found.append("\(name): \(error)")
            }
        }
        let expected = Set(state.files.keys).union([database, "docs/link"])
        found += try names(in: restored, "").filter { !expected.contains($0) }
            .map { "\($0) should not be there" }
        let connection = try Connection(
            opening: restored.appending(relative: database), mode: .readWrite,
            busyTimeoutMilliseconds: 1000)
        if try rows(in: connection) != state.rows { found.append("the database is another one") }
        let check = try connection.prepare("PRAGMA integrity_check(5)")
        if try !check.step() || check.text(at: 0) != "ok" { found.append(check.text(at: 0)) }
        return found.sorted()
    }

    /// `==`, which without optimisation compares one byte after another, in a hundredth of its
    /// time.
    private static func isSame(_ one: [UInt8], _ other: [UInt8]) -> Bool {
        one.count == other.count && memcmp(one, other, one.count) == 0
    }

    /// The paths of all that is no directory.
    private static func names(in directory: FilePath, _ prefix: String) throws -> [String] {
        try LinuxDisk().entries(of: directory).flatMap { entry in
            let name = prefix + entry.name
            return entry.kind == .directory
                ? try names(in: directory.appending(entry.name), name + "/") : [name]
        }
    }
}

extension FilePath {
    func appending(relative path: String) -> FilePath {
        path.split(separator: "/").reduce(self) { $0.appending(String($1)) }
    }
}
