import Glibc
import Platform
import Repository
import SQLite
import Simulation
import Synchronization
import Testing

@testable import Timeline

/// A WAL whose checksums break below its last commit, as SQLite itself leaves it after a ROLLBACK
/// TO in a transaction that outgrew its cache: some frames have zeros for salts and checksums.
@Suite struct BrokenLogTests {
    private let scratch = CaptureScratch()
    private let folder = ScratchFolder()

    private func makeWriter() throws -> Connection {
        let writer = try scratch.makeDatabase("a.db", mode: "WAL")
        try writer.execute("PRAGMA wal_autocheckpoint = 0; PRAGMA wal_checkpoint(TRUNCATE)")
        try scratch.insert(200, into: writer)
        return writer
    }

    /// Takes the seal from a frame of the log, counted from its end.
    private func breakLog(fromEnd count: Int) throws {
        let length = try scratch.contents("a.db-wal").count
        let log = try Descriptor.open(scratch.file("a.db-wal"), flags: O_RDWR)
        try [UInt8](repeating: 0, count: 16).withUnsafeBytes {
            try log.write($0, at: UInt64(length - count * 4120 + 8))
        }
    }

    @Test func whatSQLiteReadsOfItIsRead() throws {
        let writer = try makeWriter()
        let reader = try DatabaseReader(opening: scratch.file("a.db"))
        let (whole, isSettled) = try reader.withSnapshot { view in
            (try bytes(of: view), view.identity.isSettled)
        }
        #expect(isSettled)
        try breakLog(fromEnd: 3)
        let (broken, isTrusted) = try reader.withSnapshot { view in
            (try bytes(of: view), view.identity.isSettled)
        }
        #expect(broken == whole)
        // After a crash the same name may come to mean something else.
        #expect(!isTrusted)
        #expect(try value("PRAGMA integrity_check", in: writer) == "ok")
        reader.close()
    }

    @Test func aFrameOfAnotherLogIsRefused() throws {
        let writer = try makeWriter()
        let length = try scratch.contents("a.db-wal").count
        let log = try Descriptor.open(scratch.file("a.db-wal"), flags: O_RDWR)
        try [UInt8](repeating: 7, count: 8).withUnsafeBytes {
            try log.write($0, at: UInt64(length - 2 * 4120 + 8))
        }
        let reader = try DatabaseReader(opening: scratch.file("a.db"))
        #expect(throws: CaptureError.self) { try reader.withSnapshot { _ in } }
        reader.close()
        try writer.close()
    }

    @Test func aWatchComparesOnceSaysItLoudlyAndGoesOn() throws {
        let writer = try makeWriter()
        let (watched, told) = try watch(logLimit: nil)
        watched.turn()
        try scratch.insert(200, into: writer)
        try breakLog(fromEnd: 2)
        turn(watched, 2)
        #expect(told.withLock { $0 } == ["base", "waiting", "compared", "broken"])
        for _ in 0..<3 {
            try scratch.insert(20, into: writer)
            turn(watched, 1)
        }
        #expect(told.withLock { $0.count } == 4)
        #expect(watched.isCaughtUp)
        // Again, and too soon: what writes does not make it compare without end.
        try scratch.insert(200, into: writer)
        try breakLog(fromEnd: 2)
        turn(watched, 1)
        #expect(told.withLock { $0.last } == "waiting")
        watched.notice()
        #expect(watched.dueAt > 0)
        watched.stopFollowing(leavingLog: true)
        try writer.close()
    }

    @Test func theLogIsBegunAnewSoThatACrashTakesNothing() throws {
        let writer = try makeWriter()
        let (watched, told) = try watch(logLimit: 16 << 20)
        watched.turn()
        try scratch.insert(200, into: writer)
        try breakLog(fromEnd: 2)
        turn(watched, 3)
        #expect(told.withLock { $0.contains("broken") })
        #expect(try scratch.contents("a.db-wal").isEmpty)
        try scratch.insert(200, into: writer)
        turn(watched, 1)
        #expect(watched.isCaughtUp)
        watched.stopFollowing(leavingLog: true)
        try writer.close()
    }

    private func turn(_ watched: WatchedDatabase, _ times: Int) {
        for _ in 0..<times {
            watched.notice()
            watched.turn()
        }
    }

    private func watch(
        logLimit: UInt64?
    ) throws -> (watched: WatchedDatabase, told: Told) {
        let world = World.simulated(SeededRandomness(seed: 1), clock: SystemClock())
        let place = MemoryPlace()
        try TestRepository.make(at: place, world: world)
        let repository = try TestRepository.open(place, cache: folder.path, world: world)
        let access = WatchRepository(
            repository, lease: try HeldLease(on: place, purpose: "watch", world: world)
        ) { _ in }
        let told = Told()
        let report: @Sendable (WatchNotice) -> Void = { told.add($0) }
        var settings = WatchSettings(host: "alpha", directory: folder.path)
        settings.logLimit = logLimit
        let watched = WatchedDatabase(
            scratch.file("a.db"), access: access, settings: settings,
            sealing: JournalSealing(access, wake: try Wake(), report), portion: LogPortion(),
            around: LookAround(), progress: {}, report: report)
        return (watched, told)
    }

    /// What a watch has said, in words.
    private final class Told: Sendable {
        private let words = Mutex<[String]>([])

        func withLock<R: Sendable>(_ body: ([String]) -> R) -> R {
            body(words.withLock { $0 })
        }

        func add(_ notice: WatchNotice) {
            let word: String? =
                switch notice {
                case .began(_, _, .base): "base"
                case .began(_, _, .compared), .began(_, _, .comparedToBase): "compared"
                case .began: "began"
                case .waiting: "waiting"
                case .logBroken: "broken"
                default: nil
                }
            if let word { words.withLock { $0.append(word) } }
        }
    }
}
