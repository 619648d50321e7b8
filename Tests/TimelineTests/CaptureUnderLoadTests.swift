import Glibc
import Platform
import SQLite
import Testing

@testable import Timeline

/// Databases that another process writes at full speed.
@Suite(.serialized) struct CaptureUnderLoadTests {
    private let scratch = CaptureScratch()
    private static var seconds: Double { getenv("HOLDFAST_ALL") == nil ? 1.5 : 20 }

    /// The helper that was built beside these tests.
    private func startWriter(_ mode: String) throws -> pid_t {
        let own = try #require(realpath("/proc/self/exe", nil))
        defer { free(own) }
        let directory = FilePath(String(cString: own)).parent
        let program = directory.appending("DatabaseWriter").description
        var child = pid_t()
        let arguments = [program, scratch.file("a.db").description, mode, "\(Self.seconds)"]
        var pointers = arguments.map { strdup($0) } + [nil]
        defer { for pointer in pointers { free(pointer) } }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(
            &actions, 1, scratch.file("counter").description, O_WRONLY | O_CREAT, 0o600)
        let code = posix_spawn(&child, program, &actions, nil, &pointers, environ)
        try #require(code == 0, "cannot start \(program)")
        return child
    }

    private func isRunning(_ child: pid_t) -> Bool {
        var status: CInt = 0
        let answer = waitpid(child, &status, WNOHANG)
        guard answer != 0 else { return true }
        #expect(answer != child || status == 0)
        return false
    }

    /// The counter of a captured state, after the state was proved.
    private func prove(_ state: [UInt8]) throws -> Int64 {
        scratch.write(state, to: "copy.db")
        let copy = try Connection(
            opening: scratch.file("copy.db"), mode: .immutable, busyTimeoutMilliseconds: 0)
        #expect(try value("PRAGMA integrity_check", in: copy) == "ok")
        #expect(try value("SELECT sum(balance) FROM account", in: copy) == "0")
        let counter = try value("SELECT value FROM counter", in: copy)
        #expect(try value("SELECT ifnull(max(value), 0) FROM history", in: copy) == counter)
        return try #require(Int64(counter))
    }

    private func capture(_ reader: DatabaseReader) throws -> [UInt8] {
        guard reader.journalMode == .rollback else { return try reader.withSnapshot(bytes(of:)) }
        let unlocked = try reader.withoutLock { ($0.identity, try bytes(of: $0)) }
        return try reader.withSnapshot { view in
            view.identity == unlocked.0 ? unlocked.1 : try bytes(of: view)
        }
    }

    @Test(arguments: ["wal", "delete", "truncate", "persist"])
    func eachCapturedStateIsOneThatExisted(mode: String) throws {
        // The page size that the writer finds; smaller pages make more frames.
        try scratch.open("a.db", "PRAGMA page_size = 1024; VACUUM; PRAGMA journal_mode = \(mode)")
            .close()
        let child = try startWriter(mode)
        while try isRunning(child) && scratch.hasTable("counter") == false { usleep(1000) }
        let reader = try DatabaseReader(opening: scratch.file("a.db"))
        var counters: [Int64] = []
        while isRunning(child) { counters.append(try prove(try capture(reader))) }
        counters.append(try prove(try capture(reader)))
        reader.close()
        #expect(counters == counters.sorted())
        #expect(Set(counters).count > 3)
        let last = String(decoding: try scratch.contents("counter"), as: UTF8.self)
        #expect("\(counters.last ?? -1)\n" == last)
        #expect((reader.longestHoldNanoseconds > 0) == (mode != "wal"))
    }
}

extension CaptureScratch {
    /// Whether `a.db` has a table yet, as another process makes it.
    fileprivate func hasTable(_ name: String) throws -> Bool {
        let connection = try Connection(
            opening: file("a.db"), mode: .readOnly, busyTimeoutMilliseconds: 10_000)
        // As a reader does it: while a writer finishes with its journal, one that may only read
        // finds it hot and is refused for a moment.
        _ = try connection.beginReading(file("a.db"), patience: 10_000)
        return try value(
            "SELECT count(*) FROM sqlite_schema WHERE name = '\(name)'", in: connection)
            != "0"
    }
}
