import Codec
import Platform
import Repository
import SQLite
import Simulation
import Synchronization
import Testing

@testable import Timeline

/// A clock that goes on by a second whenever somebody looks at it; something may be done just then.
private final class GlancedClock: Clock {
    private let seconds = Mutex<Int64>(1_000_000)
    private let task = Mutex<(@Sendable () throws -> Void)?>(nil)

    func now() -> Timestamp {
        let moment = seconds.withLock { seconds in
            seconds += 1
            return Timestamp(seconds: seconds, nanoseconds: 0)
        }
        let task = task.withLock { task in
            defer { task = nil }
            return task
        }
        do {
            try task?()
        } catch {
            Issue.record(error)
        }
        return moment
    }

    func bootTime() -> UInt64 { UInt64(seconds.withLock { $0 }) * 1_000_000_000 }
    func sleep(nanoseconds: UInt64) {}

    /// Does something between the next glance and whatever that is made for.
    func afterNextGlance(_ task: @escaping @Sendable () throws -> Void) {
        self.task.withLock { $0 = task }
    }
}

/// Between which moments a commit is said to have been made.
@Suite struct LookTimeTests {
    private let scratch = CaptureScratch()
    private let clock = GlancedClock()
    private var world: World { .simulated(SeededRandomness(seed: 1), clock: clock) }
    private var path: FilePath { scratch.file("a.db") }

    private func follower() throws -> DatabaseFollower {
        let reader = try DatabaseReader(opening: path)
        try reader.hold()
        let end = CapturedEnd(
            position: Position(epoch: 1, sequence: 1), chain: .zero, root: StateRoot(),
            pageCount: try reader.viewOfHeldState().pageCount, lastLook: clock.now())
        return try DatabaseFollower(reader, at: end, isBase: true, world: world)
    }

    private func look(_ follower: DatabaseFollower) throws -> [Record] {
        var records: [Record] = []
        try follower.step { records += $0.map(\.record) }
        return records
    }

    private static func commit(_ path: FilePath) throws {
        let connection = try Connection(
            opening: path, mode: .readWrite, busyTimeoutMilliseconds: 1000)
        try connection.execute("DELETE FROM t WHERE a = (SELECT max(a) FROM t)")
        try connection.close()
    }

    @Test func aCommitIsNotSeenBeforeItWasMade() throws {
        let connection = try scratch.makeDatabase("a.db", mode: "wal")
        let follower = try follower()
        let before = clock.now()
        clock.afterNextGlance { [path] in try Self.commit(path) }
        let record = try #require(try look(follower).first)
        // The commit was made behind the glance that came next.
        #expect(record.seen.wall > before.adding(nanoseconds: 1_000_000_000))
        #expect(record.notBefore <= before)
        follower.end(leavingLog: false)
        try connection.close()
    }

    @Test func aLookThatFindsNothingBoundsTheNextCommit() throws {
        let connection = try scratch.makeDatabase("a.db", mode: "wal")
        let follower = try follower()
        let before = clock.now()
        _ = try follower.isDue()
        let looked = clock.now()
        try Self.commit(path)
        let record = try #require(try look(follower).first)
        #expect(record.notBefore > before)
        #expect(record.notBefore < looked)
        follower.end(leavingLog: false)
        try connection.close()
    }

    @Test func aLookAtAnEarlierHeadDoesNotBoundTheNextCommit() throws {
        let connection = try scratch.makeDatabase("a.db", mode: "wal")
        let follower = try follower()
        let reader = try DatabaseReader(opening: path)
        try reader.hold()
        let view = try reader.viewOfHeldState()
        try Self.commit(path)
        let made = clock.now()
        try follower.catchUp(to: view) { _ in }
        let record = try #require(try look(follower).first)
        #expect(record.notBefore < made)
        reader.letGo()
        reader.close()
        follower.end(leavingLog: false)
        try connection.close()
    }

    @Test func aBaseOfACapturedStateIsAsOldAsItsReader() throws {
        let connection = try scratch.makeDatabase("a.db", mode: "wal")
        let place = MemoryPlace()
        try TestRepository.make(at: place, world: world)
        let cache = ScratchFolder()
        let repository = try TestRepository.open(place, cache: cache.path, world: world)
        let first = try repository.record(path, scratch: cache.path)
        let reader = try DatabaseReader(opening: path)
        let looked = world.moment
        try reader.hold()
        let lease = try HeldLease(on: place, purpose: "test", world: world)
        try repository.refresh()
        let store = BlobStore(repository, lease: lease, level: .fast)
        let recorder = try DatabaseRecorder(
            in: repository, under: lease, store: store, host: "alpha", scratch: cache.path,
            patience: 0)
        _ = try recorder.captureBase(path, with: reader, heldSince: looked)
        _ = try store.finish()
        try recorder.publish()
        try recorder.reload()
        let end = try #require(recorder.stream(of: path)?.end?.record)
        #expect(end.position == first.database.reference.position.next)
        #expect(end.kind == .base && !end.isCompared)
        #expect(end.seen == looked)
        #expect(end.notBefore == looked.wall)
        try lease.end()
        reader.letGo()
        reader.close()
        try connection.close()
    }
}
