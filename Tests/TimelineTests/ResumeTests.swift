import Codec
import Glibc
import Platform
import Repository
import SQLite
import Simulation
import Testing

@testable import Timeline

/// A capture that goes on at the mark of an earlier one, or must not.
@Suite struct ResumeTests {
    private let scratch = CaptureScratch()
    private let world = World.simulated(SeededRandomness(seed: 1))

    private func end(of reader: DatabaseReader) throws -> CapturedEnd {
        CapturedEnd(
            position: Position(epoch: 1, sequence: 1), chain: .zero, root: StateRoot(),
            pageCount: try reader.viewOfHeldState().pageCount, lastLook: world.moment.wall)
    }

    /// A database whose first commits are captured; the writer goes on, the follower is gone.
    private func makeMark() throws -> (writer: Connection, mark: CaptureMark, end: CapturedEnd) {
        let writer = try scratch.makeDatabase("a.db", mode: "WAL")
        try writer.execute("PRAGMA wal_autocheckpoint = 0; PRAGMA wal_checkpoint(TRUNCATE)")
        let reader = try DatabaseReader(opening: scratch.file("a.db"))
        try reader.hold()
        let follower = try DatabaseFollower(
            reader, at: end(of: reader), isBase: true, world: world)
        for _ in 0..<5 { try scratch.insert(20, into: writer) }
        var kept = 0
        while try !follower.step(keep: { kept += $0.count }) {}
        #expect(kept == 5)
        let mark = try follower.mark()
        let end = follower.end
        follower.end(leavingLog: true)
        return (writer, mark, end)
    }

    private func resumed(
        _ name: String, at end: CapturedEnd, _ mark: CaptureMark
    ) throws -> DatabaseFollower? {
        let reader = try DatabaseReader(opening: scratch.file(name))
        try reader.hold()
        return try DatabaseFollower(reader, at: end, resuming: mark, world: world)
    }

    /// What both leave that die at once: the files, and no wal-index.
    private func crash() throws {
        try scratch.copy("a.db", to: "b.db")
        try scratch.copy("a.db-wal", to: "b.db-wal")
    }

    @Test func commitsThatTheLogStillHasAreCaught() throws {
        let (writer, mark, end) = try makeMark()
        for _ in 0..<3 { try scratch.insert(20, into: writer) }
        let follower = try #require(try resumed("a.db", at: end, mark))
        var kept = 0
        while try !follower.step(keep: { kept += $0.count }) {}
        #expect(kept == 3)
        // What is captured may be copied: the versions before are in the log.
        try writer.execute("PRAGMA wal_checkpoint(PASSIVE)")
        try scratch.insert(20, into: writer)
        while try !follower.step(keep: { kept += $0.count }) {}
        #expect(kept == 4)
        follower.end(leavingLog: true)
    }

    @Test(arguments: [0, 1])
    func afterARecoveryTheFileIsNotTrusted(commits: Int) throws {
        let (writer, mark, end) = try makeMark()
        for _ in 0..<3 { try scratch.insert(20, into: writer) }
        try writer.execute("PRAGMA wal_checkpoint(PASSIVE)")
        try crash()
        let later = try scratch.open("b.db", "PRAGMA wal_autocheckpoint = 0")
        // It is the first to read: it recovers the log, and forgets what was copied.
        #expect(try value("SELECT count(*) FROM t", in: later) == "360")
        for _ in 0..<commits { try scratch.insert(20, into: later) }
        #expect(try resumed("b.db", at: end, mark) == nil)
    }

    @Test func aLogThatLostCommitsThatTheFileHasIsNotTrusted() throws {
        let (writer, mark, end) = try makeMark()
        let length = try scratch.contents("a.db-wal").count
        for _ in 0..<3 { try scratch.insert(20, into: writer) }
        try writer.execute("PRAGMA wal_checkpoint(PASSIVE)")
        try crash()
        // Power failed: nobody had synced the log.
        scratch.write(Array(try scratch.contents("b.db-wal")[..<length]), to: "b.db-wal")
        let later = try scratch.open("b.db")
        #expect(try value("PRAGMA journal_mode", in: later) == "wal")
        #expect(try resumed("b.db", at: end, mark) == nil)
    }

    @Test func aCheckpointThatBeginsWhileItCatchesUpEndsIt() throws {
        let (writer, mark, end) = try makeMark()
        for _ in 0..<3 { try scratch.insert(20, into: writer) }
        let follower = try #require(try resumed("a.db", at: end, mark))
        try writer.execute("PRAGMA wal_checkpoint(PASSIVE)")
        #expect(throws: CaptureError.self) { try follower.step { _ in } }
        #expect(!follower.isIntact)
        follower.end(leavingLog: true)
    }
}
