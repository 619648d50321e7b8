import Codec
import Glibc
import Platform
import Repository
import SQLite
import Simulation
import Synchronization
import Testing

@testable import Timeline

/// A database, those who use it, and the copy that is rebuilt from its change sets.
final class FollowerScene {
    private struct NotKept: Error {}

    /// Tells threads to stop.
    private final class Stop: Sendable {
        private let flag = Atomic(false)
        var isSet: Bool { flag.load(ordering: .relaxed) }
        func set() { flag.store(true, ordering: .relaxed) }

        private let ended = Atomic(0)
        func noteEnd() { _ = ended.add(1, ordering: .relaxed) }
        func haveAllEnded(_ count: Int) -> Bool { ended.load(ordering: .relaxed) == count }
    }

    private let folder = ScratchFolder()
    private let path: FilePath
    private let pageSize: Int
    var logLimit = UInt64.max
    var failsToKeepEach = 0
    private(set) var commits = 0
    private(set) var shrinks = 0
    private(set) var failures = 0
    private(set) var resets = 0
    private var logBytes: UInt64 = 0
    private var pages: [[UInt8]] = []
    private var end = CapturedEnd(
        position: Position(epoch: 1, sequence: 1), chain: .zero, root: StateRoot(), pageCount: 0,
        lastLook: Timestamp(seconds: 0, nanoseconds: 0))
    private let hasher = Hasher256()
    private let coder = PageCoder()

    init(pageSize: Int) throws {
        self.pageSize = pageSize
        path = folder.path.appending("live.db")
        let connection = try Connection(
            opening: path, mode: .readWriteCreate, busyTimeoutMilliseconds: 5000)
        try connection.execute(
            """
            PRAGMA page_size = \(pageSize); PRAGMA auto_vacuum = INCREMENTAL;
            PRAGMA journal_mode = WAL;
            CREATE TABLE rows (id INTEGER PRIMARY KEY, bytes BLOB, note TEXT);
            CREATE INDEX notes ON rows (note);
            """)
        try connection.close()
    }

    /// Follows a writer to its end, through so many rounds, while others check in each mode.
    func run(rounds: Int, checkpoints: [String], vacuums: Bool = false) throws {
        let reader = try DatabaseReader(opening: path)
        try reader.hold()
        try takeBase(try reader.viewOfHeldState())
        let follower = try DatabaseFollower(
            reader, at: end, isBase: true, world: .simulated(SeededRandomness(seed: 1)))
        let keeper = try LogKeeper(path)
        let stop = Stop()
        var threads = [
            thread("writer", stop) { connection, number in
                try FollowerScene.write(connection, number, vacuums)
                if number == rounds { stop.set() }
            }
        ]
        for (index, mode) in checkpoints.enumerated() {
            threads.append(
                // Less patience than the writer has, or what is in its way would be in both's.
                thread("check", stop, patience: 1000) { connection, _ in
                    // Each but PASSIVE takes the lock that the writer needs, which is not fair.
                    usleep(useconds_t(30_000 + 17_000 * index))
                    // One that finds it busy says so in its row.
                    try connection.execute("PRAGMA wal_checkpoint(\(mode))")
                })
        }
        // Others may wait for the reader that is held.
        while !stop.haveAllEnded(threads.count) { try turn(follower, keeper) }
        for thread in threads { thread.join() }
        failsToKeepEach = 0
        while try !follower.step(keep: keep) {}
        keeper.close()
        follower.end(leavingLog: false)
    }

    private func turn(_ follower: DatabaseFollower, _ keeper: LogKeeper) throws {
        do {
            if try follower.isDue() || follower.hasUnkept || follower.mayHoldUp() {
                try follower.step(keep: keep)
            }
            if follower.logBytes < logBytes { resets += 1 }
            logBytes = follower.logBytes
            if follower.logBytes > logLimit,
                try follower.shrinkLog(
                    with: keeper, patience: 200_000_000, truncates: false, keep: keep)
            {
                shrinks += 1
            }
        } catch is NotKept {
            failures += 1
        }
        usleep(300)
    }

    private func thread(
        _ name: String, _ stop: Stop, patience: Int = 30_000,
        _ body: @escaping @Sendable (Connection, Int) throws -> Void
    ) -> WorkerThread {
        let path = path
        return WorkerThread(name: name) {
            defer { stop.noteEnd() }
            do {
                let connection = try Connection(
                    opening: path, mode: .readWrite, busyTimeoutMilliseconds: patience)
                try connection.execute("PRAGMA synchronous = OFF")
                var number = 0
                while !stop.isSet {
                    number += 1
                    try body(connection, number)
                }
                try connection.close()
            } catch {
                stop.set()
                Issue.record(error, "\(name)")
            }
        }
    }

    private static func write(
        _ connection: Connection, _ number: Int, _ vacuums: Bool
    ) throws {
        usleep(400)
        let size = [10, 200, 3000, 20_000][number % 4]
        try connection.execute(
            """
            BEGIN IMMEDIATE;
            INSERT INTO rows (bytes, note) VALUES (randomblob(\(size)), hex(randomblob(8)));
            UPDATE rows SET note = hex(randomblob(9)) WHERE id % 97 = \(number % 97);
            COMMIT
            """)
        if number % 50 == 0 {
            try connection.execute("DELETE FROM rows WHERE id < (SELECT max(id) FROM rows) - 300")
        }
        if number % 70 == 0 { try connection.execute("PRAGMA incremental_vacuum(40)") }
        if vacuums, number % 200 == 0 { try connection.execute("VACUUM") }
    }

    // MARK: The copy

    private func takeBase(_ view: DatabaseView) throws {
        for number in 1...view.pageCount {
            var page = [UInt8](repeating: 0, count: pageSize)
            try page.withUnsafeMutableBytes { try view.read(pagesFrom: number, count: 1, into: $0) }
            pages.append(page)
        }
        end.pageCount = view.pageCount
        end.root = root()
    }

    private func root() -> StateRoot {
        var root = StateRoot()
        for (index, page) in pages.enumerated() {
            page.withUnsafeBytes { bytes in
                root.add(
                    index == 0
                        ? PageHash.rootContribution(ofFirst: bytes, with: hasher)
                        : PageHash.hash(of: UInt32(index + 1), bytes, with: hasher))
            }
        }
        return root
    }

    private func keep(_ changes: [ChangeSet]) throws {
        if failsToKeepEach > 0, Int.random(in: 1...failsToKeepEach) == 1 { throw NotKept() }
        for change in changes { try apply(change) }
    }

    private func apply(_ change: ChangeSet) throws {
        commits += 1
        #expect(change.record.position.sequence == end.position.sequence + UInt64(commits))
        let count = Int(change.record.pageCount)
        if pages.count > count { pages.removeSubrange(count...) }
        while pages.count < count { pages.append([UInt8](repeating: 0, count: pageSize)) }
        var offset = 0
        for entry in change.entries {
            let body = change.bodies[offset..<offset + entry.length]
            offset += entry.length
            let index = Int(entry.page) - 1
            try pages[index].withUnsafeMutableBytes {
                try coder.decode(body, entry.codec, over: $0)
            }
            let hash = pages[index].withUnsafeBytes {
                PageHash.hash(of: entry.page, $0, with: hasher)
            }
            #expect(hash == entry.hash, "page \(entry.page) of commit \(commits)")
        }
        last = change.record
        // Hashing everything after each commit would keep the log waiting.
        if commits % 50 == 0 { expectRoot() }
    }

    private var last: Record?

    private func expectRoot() {
        guard let last else { return }
        #expect(root().digest == last.stateRoot, "after commit \(commits)")
    }

    /// The copy is what the database holds, and each root was that of its state.
    func expectSameContent() throws {
        expectRoot()
        let copy = folder.path.appending("copy.db")
        let file = try Descriptor.open(copy, flags: O_RDWR | O_CREAT)
        for page in pages { try page.withUnsafeBytes { try file.write($0) } }
        for path in [path, copy] {
            let connection = try Connection(
                opening: path, mode: .readWrite, busyTimeoutMilliseconds: 0)
            let check = try connection.prepare("PRAGMA integrity_check")
            #expect(try check.step() && check.text(at: 0) == "ok")
        }
        let connection = try Connection(
            opening: path, mode: .readWrite, busyTimeoutMilliseconds: 0)
        try connection.execute("ATTACH '\(copy)' AS copy")
        let differing = try connection.prepare(
            """
            SELECT (SELECT count(*) FROM (SELECT * FROM main.rows EXCEPT SELECT * FROM copy.rows))
                + (SELECT count(*) FROM (SELECT * FROM copy.rows EXCEPT SELECT * FROM main.rows))
            """)
        #expect(try differing.step() && differing.integer(at: 0) == 0)
    }
}
