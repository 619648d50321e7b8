import Codec
import Platform
import Repository
import SQLite
import Simulation
import Synchronization
import Testing

@testable import Timeline

/// A database under watch whose turns come when the test says so.
private final class WatchedScene {
    private final class Notices: Sendable {
        let all = Mutex<[WatchNotice]>([])
        let atSealing = Mutex<(@Sendable () throws -> Void)?>(nil)
    }

    let scratch = CaptureScratch()
    let clock = SimulatedClock()
    let connection: Connection
    let repository: Repository
    let watched: WatchedDatabase
    private let cache = ScratchFolder()
    private let notices = Notices()

    init(mode: String) throws {
        let world = World.simulated(
            SeededRandomness(seed: 1), clock: clock, process: .simulated(boot: 2))
        let place = MemoryPlace()
        try TestRepository.make(at: place, world: world)
        repository = try TestRepository.open(place, cache: cache.path, world: world)
        connection = try scratch.makeDatabase("a.db", mode: mode)
        let lease = try HeldLease(on: place, purpose: "watch", world: world)
        let access = WatchRepository(repository, lease: lease) { _ in }
        let report: @Sendable (WatchNotice) -> Void = { [notices] notice in
            notices.all.withLock { $0.append(notice) }
            guard case .sealed = notice else { return }
            do {
                try notices.atSealing.withLock { $0 }?()
            } catch {
                Issue.record(error)
            }
        }
        watched = WatchedDatabase(
            scratch.file("a.db"), access: access,
            settings: WatchSettings(host: "alpha", directory: cache.path),
            sealing: JournalSealing(access, wake: try Wake(), report), portion: LogPortion(),
            around: LookAround(), progress: {}, report: report)
    }

    /// A look at the database, so many seconds after the last one.
    func look(after seconds: UInt64) {
        clock.advance(nanoseconds: seconds * 1_000_000_000)
        watched.turn()
    }

    func commit() throws {
        try connection.execute("INSERT INTO t (b) VALUES (randomblob(200))")
    }

    /// Commits, from another connection, while a journal is being sealed.
    func commitAtSealing() {
        let path = scratch.file("a.db")
        notices.atSealing.withLock {
            $0 = {
                let other = try Connection(
                    opening: path, mode: .readWrite, busyTimeoutMilliseconds: 1000)
                try other.execute("INSERT INTO t (b) VALUES (randomblob(200))")
                try other.close()
            }
        }
    }

    func takeNotices() -> [WatchNotice] { notices.all.withLock { $0.drained() } }

    /// The last record of the database's stream.
    func newest() throws -> Record {
        let stream = try #require(
            StreamIndex(of: repository).stream(
                host: "alpha", path: scratch.file("a.db").bytes))
        return try #require(stream.end).record
    }
}

extension [WatchNotice] {
    fileprivate mutating func drained() -> [WatchNotice] {
        defer { removeAll() }
        return self
    }
}

/// How one database is watched, turn by turn.
@Suite struct WatchedDatabaseTests {
    @Test func aStateWithoutALogWasNotThereAtTheLastLook() throws {
        let scene = try WatchedScene(mode: "delete")
        for _ in 0..<4 { scene.look(after: 100) }
        let last = scene.clock.now()
        try scene.commit()
        scene.look(after: 1)
        let record = try scene.newest()
        #expect(record.position == Position(epoch: 1, sequence: 2))
        #expect(record.notBefore == last)
        #expect(!record.isFarFromLook)
    }

    @Test func aClockThatWasSetBackLeavesTheBoundOfTheRecordBefore() throws {
        let scene = try WatchedScene(mode: "delete")
        scene.look(after: 0)
        let first = try scene.newest().seen.wall
        scene.look(after: 100)
        scene.clock.set(now: first.adding(nanoseconds: 5_000_000_000))
        try scene.commit()
        scene.look(after: 1)
        #expect(try scene.newest().notBefore == first)
    }

    @Test func whatIsCommittedWhileAnEarlierJournalIsSealedIsRecordedByItself() throws {
        let scene = try WatchedScene(mode: "wal")
        scene.look(after: 0)
        try scene.commit()
        scene.look(after: 0)
        scene.watched.stopFollowing(leavingLog: true)
        // Two commits that nobody watched, of which the log tells no more.
        try scene.commit()
        try scene.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        try scene.commit()
        scene.commitAtSealing()
        scene.look(after: 1)
        scene.look(after: 1)
        _ = try scene.watched.barrier()
        let record = try scene.newest()
        // The base, a commit, the gap, what was found behind it, and that one.
        #expect(record.position == Position(epoch: 1, sequence: 5))
        #expect(record.kind == .commit && !record.isCompared)
    }

    @Test func onlyTheFirstLookSaysThatItRecordsFromNowOn() throws {
        let scene = try WatchedScene(mode: "delete")
        scene.look(after: 0)
        let first = scene.takeNotices()
        #expect(first.count == 1)
        guard case .began = first.first else {
            Issue.record("\(first)")
            return
        }
        for _ in 0..<3 {
            try scene.commit()
            scene.look(after: 1)
            scene.look(after: 1)
            let notices = scene.takeNotices()
            guard notices.count == 1, case .recorded(_, _, pages: 1...) = notices[0] else {
                Issue.record("\(notices)")
                return
            }
        }
    }
}
