import Codec
import Glibc
import Platform
import Repository
import SQLite
import Simulation
import Synchronization
import Testing

@testable import Timeline

/// A stream of one database in a repository in memory, recorded as `backup` does it.
private final class RecordedStates {
    let scratch = CaptureScratch()
    let repository: Repository
    /// Each state that was recorded, with the file's bytes at that moment.
    private(set) var states: [(database: Snapshot.Database, bytes: [UInt8])] = []
    private(set) var last: CapturedDatabase?
    /// How often the last recording told that it gets on.
    private(set) var steps = 0
    private let cache: ScratchFolder
    private let clock = SimulatedClock()

    init(seed: UInt64) throws {
        let world = World.simulated(SeededRandomness(seed: seed), clock: clock)
        let place = MemoryPlace()
        cache = ScratchFolder()
        try TestRepository.make(at: place, world: world)
        repository = try TestRepository.open(place, cache: cache.path, world: world)
    }

    /// Records the database as it is; the file must be checkpointed, so that its bytes are the
    /// state.
    func record(_ name: String) throws {
        steps = 0
        let captured = try repository.record(
            scratch.file(name), known: states.last?.database, scratch: cache.path
        ) { self.steps += 1 }
        last = captured
        states.append((captured.database, try scratch.contents(name)))
        clock.advance(nanoseconds: 1_000_000_000)
    }

    /// Forgets all states but some and the last, and removes what nothing needs, as prune does.
    func forget(allBut kept: Set<Int>) throws -> CompactionReport {
        states = states.enumerated().filter {
            kept.contains($0.offset) || $0.offset == states.count - 1
        }.map(\.element)
        try repository.refresh()
        let lease = try HeldLease(on: repository.place, purpose: "prune", world: repository.world)
        var compactor = StreamCompactor(repository) {}
        let report = try compactor.run(needs(), under: lease)
        try lease.end()
        try repository.place.remove(needs().unneeded.sorted())
        return report
    }

    private func needs() throws -> StreamNeeds {
        try StreamNeeds(
            in: repository, references: states.map(\.database.reference), window: HistoryWindow(0),
            now: nil)
    }

    /// The bytes that a recorded state gives back.
    func recover(_ database: Snapshot.Database) throws -> [UInt8] {
        let recovery = try DatabaseRecovery(from: repository)
        var bytes: [UInt8] = []
        try recovery.recoverInOrder(
            database.reference, with: Tools(repository, level: .fast)
        ) { bytes += $0 }
        let pool = WorkPool(repository, level: .fast, failure: FirstFailure())
        defer { pool.finish() }
        let parallel = Mutex([UInt8](repeating: 0, count: bytes.count))
        try recovery.recover(database.reference, with: pool) { run, offset in
            parallel.withLock { parallel in
                parallel.replaceSubrange(Int(offset)..<Int(offset) + run.count, with: run)
            }
        }
        #expect(parallel.withLock { $0 == bytes })
        return bytes
    }

    func expectAllStatesComeBack() throws {
        for (number, state) in states.enumerated() {
            let same = try recover(state.database) == state.bytes
            #expect(same, "state \(number) at \(state.database.reference.position)")
        }
    }
}

@Suite struct RecordedStatesTests {
    @Test(arguments: [512, 1024, 4096, 16384, 32768, 65536])
    func everyRecordedStateComesBackByteForByte(_ pageSize: Int) throws {
        let stream = try RecordedStates(seed: 1)
        let database = try stream.scratch.makeDatabase(
            "a.db", pageSize: pageSize, mode: "delete", autoVacuum: 1, rows: 600)
        try stream.record("a.db")
        for step in 1...5 {
            try database.execute("UPDATE t SET b = randomblob(300) WHERE a % 17 = \(step)")
            try stream.record("a.db")
        }
        try stream.expectAllStatesComeBack()
    }

    @Test func aBaseTellsAgainAndAgainThatItGetsOn() throws {
        let stream = try RecordedStates(seed: 9)
        let database = try stream.scratch.makeDatabase("a.db", mode: "delete", rows: 20_000)
        try database.close()
        try stream.record("a.db")
        let pages = try #require(stream.last?.database.pageCount)
        #expect(stream.steps >= Int(pages) / 64, "\(stream.steps) for \(pages) pages")
        try stream.record("a.db")
        #expect(stream.steps == 0)
    }

    @Test func aDatabaseThatShrinksAndGrowsAgainComesBack() throws {
        let stream = try RecordedStates(seed: 2)
        let database = try stream.scratch.makeDatabase("a.db", mode: "delete", rows: 2000)
        try stream.record("a.db")
        try database.execute("DELETE FROM t WHERE a > 100; VACUUM")
        try stream.record("a.db")
        try stream.scratch.insert(3000, into: database)
        try stream.record("a.db")
        try database.execute("VACUUM")
        try stream.record("a.db")
        try stream.expectAllStatesComeBack()
    }

    @Test(arguments: [512, 4096, 65536])
    func whatIsKeptOfADatabaseThatShrinksAndGrowsComesBackWhenTheRestIsForgotten(
        _ pageSize: Int
    ) throws {
        let stream = try RecordedStates(seed: 12)
        let database = try stream.scratch.makeDatabase(
            "a.db", pageSize: pageSize, mode: "delete", autoVacuum: 1, rows: 100)
        try stream.record("a.db")
        for step in 0..<5 {
            try database.execute("DELETE FROM t WHERE a % 3 = \(step % 3)")
            try stream.record("a.db")
            if step % 3 == 1 { try database.execute("VACUUM") }
            try stream.scratch.insert(60 + 30 * step, into: database)
            try stream.record("a.db")
            try database.execute("UPDATE t SET b = zeroblob(\(step + 1)) WHERE a < 9")
            try stream.record("a.db")
        }
        let report = try stream.forget(allBut: [2, 3, 9])
        #expect(report.failures.isEmpty && report.forgotten > 5)
        try stream.expectAllStatesComeBack()
        for _ in 0..<5 {
            try stream.scratch.insert(10, into: database)
            try stream.record("a.db")
        }
        #expect(try stream.forget(allBut: [1, 6]).failures.isEmpty)
        try stream.expectAllStatesComeBack()
    }

    @Test func aPageChangedMoreOftenThanAChainIsLongComesBackWhateverIsForgotten() throws {
        let stream = try RecordedStates(seed: 13)
        let database = try stream.scratch.makeDatabase("a.db", mode: "delete", rows: 50)
        for step in 0..<50 {
            try database.execute("UPDATE t SET b = zeroblob(\(step + 1)) WHERE a = 7")
            try stream.record("a.db")
        }
        let report = try stream.forget(allBut: [14, 15, 16, 17, 31, 32, 40, 47])
        #expect(report.failures.isEmpty && report.forgotten > 30)
        try stream.expectAllStatesComeBack()
    }

    @Test func whereHistoriesPartBothStayWhenTheRestIsForgotten() throws {
        let stream = try RecordedStates(seed: 14)
        var database = try stream.scratch.makeDatabase("a.db", mode: "delete", rows: 100)
        var old: [UInt8] = []
        for step in 0..<8 {
            try database.execute("UPDATE t SET b = zeroblob(\(step + 1)) WHERE a < 30")
            try stream.record("a.db")
            if step == 4 { old = try stream.scratch.contents("a.db") }
        }
        try database.close()
        stream.scratch.write(old, to: "a.db")
        try stream.record("a.db")
        database = try stream.scratch.open("a.db")
        for step in 0..<6 {
            try database.execute("UPDATE t SET b = zeroblob(\(step + 100)) WHERE a < 50")
            try stream.record("a.db")
        }
        // The tail that was left behind is kept by the snapshot of its last state.
        let report = try stream.forget(allBut: [7, 12])
        #expect(report.failures.isEmpty && report.forgotten > 5)
        #expect(Set(stream.states.map(\.database.reference.position.epoch)) == [1, 2])
        try stream.expectAllStatesComeBack()
    }

    @Test func aPageChangedMoreOftenThanAChainIsLongComesBack() throws {
        let stream = try RecordedStates(seed: 3)
        let database = try stream.scratch.makeDatabase("a.db", mode: "delete", rows: 50)
        for step in 0..<40 {
            try database.execute("UPDATE t SET b = zeroblob(\(step + 1)) WHERE a = 7")
            try stream.record("a.db")
        }
        try stream.expectAllStatesComeBack()
    }

    @Test func aCompleteBaseBeginsAnewAfterSoManyRecords() throws {
        let stream = try RecordedStates(seed: 4)
        let database = try stream.scratch.makeDatabase("a.db", mode: "delete", rows: 20)
        var bases = 0
        for step in 0..<(DatabaseRecorder.pathLimit + 2) {
            try database.execute("UPDATE t SET b = zeroblob(\(step + 1)) WHERE a = 3")
            try stream.record("a.db")
            if stream.last?.isBase == true { bases += 1 }
        }
        #expect(bases == 2)
        try stream.expectAllStatesComeBack()
    }

    @Test func whatDidNotChangeIsNotRecordedAgain() throws {
        let stream = try RecordedStates(seed: 5)
        _ = try stream.scratch.makeDatabase("a.db", mode: "delete", rows: 100)
        try stream.record("a.db")
        try stream.record("a.db")
        #expect(stream.last?.changedPages == 0)
        #expect(
            stream.states[0].database.reference.position
                == stream.states[1].database.reference.position)
        #expect(try stream.repository.place.list(.segments).count == 1)
    }

    @Test func aFewChangedRowsTakeAFewBytes() throws {
        let stream = try RecordedStates(seed: 6)
        let database = try stream.scratch.makeDatabase("a.db", mode: "delete", rows: 4000)
        try stream.record("a.db")
        let before = Set(try stream.repository.place.list(.segments).map(\.name))
        try database.execute(
            "UPDATE t SET b = substr(b, 1, 40) || 'x' || substr(b, 42) WHERE a % 50 = 1")
        try stream.record("a.db")
        let added = try stream.repository.place.list(.segments)
            .filter { !before.contains($0.name) }.reduce(0) { $0 + $1.size }
        let changed = UInt64(stream.last?.changedPages ?? 0)
        #expect(changed > 50)
        #expect(added < changed * 4096 / 5, "\(added) bytes for \(changed) pages of 4096")
        try stream.expectAllStatesComeBack()
    }

    @Test func anOlderCopyPutBackBeginsANewEpochAndLosesNothing() throws {
        let stream = try RecordedStates(seed: 7)
        let database = try stream.scratch.makeDatabase("a.db", mode: "delete", rows: 100)
        try stream.record("a.db")
        let old = try stream.scratch.contents("a.db")
        try database.execute("UPDATE t SET b = zeroblob(9)")
        try stream.record("a.db")
        try database.close()
        stream.scratch.write(old, to: "a.db")
        try stream.record("a.db")
        let positions = stream.states.map(\.database.reference.position)
        #expect(positions[1].epoch == 1)
        #expect(positions[2].epoch == 2)
        // It goes on behind the state that the database is in again.
        #expect(positions[2].sequence == positions[0].sequence + 1)
        try stream.expectAllStatesComeBack()
    }

    @Test func anotherPageSizeIsANewBase() throws {
        let stream = try RecordedStates(seed: 8)
        let database = try stream.scratch.makeDatabase("a.db", mode: "delete", rows: 100)
        try stream.record("a.db")
        try database.execute("PRAGMA page_size = 8192; VACUUM")
        try stream.record("a.db")
        #expect(stream.last?.isBase == true)
        try stream.expectAllStatesComeBack()
    }
}
