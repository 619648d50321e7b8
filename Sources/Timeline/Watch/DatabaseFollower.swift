// Follows one database in WAL mode, hand over hand: a read transaction of ours is open at every
// moment, and the next one begins before the last one ends. Why no interleaving loses a commit:
//
// Let A be the reader that is held, m its mark; everything up to m is captured. Let B begin.
// - A holds READ_LOCK(n > 0): the log cannot be reset, and checkpoints stop at m. Frames from m to
//   B's mark M are in the log: they are captured before A ends. If B gets READ_LOCK(0), the whole
//   log was in the database when B began; checkpoints stopped at m, so M = m.
// - A holds READ_LOCK(0): the log may be reset once, overwriting only frames up to m, all captured.
//   Then no checkpoint can copy anything (it needs READ_LOCK(0) alone), hence no second reset: the
//   new log is whole from its first frame.
// So between two looks the log has the same salts and more frames, or other salts and all of them.
// What the wal-index says after B began covers M; that much is captured before A ends.

import Codec
import Platform
import Repository
import SQLite

/// What all followers of a thread share, so that an idle database costs none of it.
final class LogPortion {
    /// Bytes of the log that are read at a time; a frame is smaller.
    private static let size = 1 << 20

    let coder = PageCoder()
    let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: size, alignment: 16)

    deinit {
        bytes.deallocate()
    }
}

/// Captures each commit of one database; used by one thread.
final class DatabaseFollower {
    /// A look ends after so many bytes of change sets, so that they reach the journal.
    private static let lookBytes = 8 << 20
    /// Nanoseconds after which a reader is renewed that may keep others waiting.
    private static let longestHold: UInt64 = 20_000_000
    /// Nanoseconds for which one of the locks 1 to 4 that was let go is not taken again.
    ///
    /// A checkpoint that waits for one, with the write lock held, goes by the mark that it saw
    /// there before, and looks again after 100 ms at most. A reader that took the lock meanwhile
    /// would be waited for to the end of the checkpoint's patience, although its mark is newest.
    private static let slotRest: UInt64 = 200_000_000
    /// A commit that wrote more is recorded by comparison, which needs less memory.
    private static let commitBytes = 256 << 20
    /// Commits that may wait before pages are no longer encoded against their versions before.
    private static let backlogFrames: UInt32 = 400

    var held: DatabaseReader
    var spare: DatabaseReader?
    /// When the held reader began.
    var heldSince = monotonicNanoseconds()
    /// When one of the locks 1 to 4 was let go.
    private var slotFreedAt: UInt64 = 0
    /// A frame that the held reader's mark is not below.
    var heldFrame: UInt32 = 0
    /// Whether all of the log was in the database when the held reader began: it pins nothing.
    var heldIsPastLog = false
    /// False once a failure has left it in a state that it cannot go on from.
    var isIntact = true
    /// Captured, and not kept by whoever asked.
    private var unkept: [ChangeSet] = []
    private(set) var tail: LogTail
    /// What a resumed capture has to catch up with.
    var arrears: Arrears?
    private var encoder: ChangeEncoder
    let world: World
    private let pages: UnsafeMutableRawBufferPointer
    private let portion: LogPortion

    /// Takes over a reader that holds the state `end` tells of.
    ///
    /// - Parameter isBase: whether that state is a complete base.
    convenience init(
        _ reader: DatabaseReader, at end: CapturedEnd, isBase: Bool, world: World,
        portion: LogPortion = LogPortion()
    ) throws {
        let view = try reader.viewOfHeldState()
        guard let log = view.logged else {
            throw CaptureError(.changedWhileReading, reader.path, "it is no longer in WAL mode")
        }
        self.init(
            reader, at: end, behind: LogTail(behind: log.head, pageSize: reader.pageSize),
            PageVersions(
                log.frames.newestFrames, pageCount: view.pageCount, pageSize: reader.pageSize,
                areAlone: isBase),
            world, portion)
    }

    init(
        _ reader: DatabaseReader, at end: CapturedEnd, behind tail: LogTail,
        _ versions: PageVersions, _ world: World, _ portion: LogPortion
    ) {
        held = reader
        self.tail = tail
        self.world = world
        self.portion = portion
        let pageSize = reader.pageSize
        pages = .allocate(byteCount: 2 * pageSize, alignment: 16)
        encoder = ChangeEncoder(
            PageGeometry(pageSize: pageSize), after: end, versions: versions,
            coder: portion.coder, buffer: pages)
    }

    deinit {
        pages.deallocate()
    }

    /// Whether no other database of the watch changed since before the commits that are captured
    /// now were made; nil where there is no other.
    var othersRest: (() -> Bool)?

    var path: FilePath { held.path }
    var end: CapturedEnd { encoder.end }
    var pageSize: Int { held.pageSize }

    /// What tells the state of the last captured commit from others.
    func identity() throws -> DatabaseIdentity {
        let sum = tail.checksum.map { UInt64($0.first) << 32 | UInt64($0.second) } ?? 0
        let log =
            tail.frame == 0
            ? LogState() : LogState(salts: tail.salts, lastFrame: tail.frame, checksum: sum)
        var file = try FileState.look(at: path)
        if tail.frame > 0 { file.unsettled = 0 }
        return DatabaseIdentity(
            journalMode: .wal, pageSize: pageSize, pageCount: end.pageCount, changeCounter: 0,
            file: file, log: log)
    }

    var databaseBytes: UInt64 { UInt64(end.pageCount) * UInt64(pageSize) }

    /// Makes the commit that puts a state back begin an epoch.
    func expect(_ state: PutBackState?) { encoder.expected = state }

    /// Whether there are change sets that nobody has kept yet.
    var hasUnkept: Bool { !unkept.isEmpty }

    /// Bytes of the log up to the last captured commit.
    var logBytes: UInt64 { UInt64(tail.frame) * UInt64(tail.frameSize) }

    /// The commits since the last look, at most so many as fill a batch; the next look goes on.
    ///
    /// - Throws: `changedWhileReading` where the log is not what its wal-index says: then only a
    ///   comparison tells what the database holds.
    func look(
        upTo limit: WALIndexHead? = nil
    ) throws -> (changes: [ChangeSet], isComplete: Bool) {
        let looked = world.moment
        let head = try limit ?? held.head().head
        // Whoever is kept from running between the two must not have seen what was yet to come.
        let seen = world.moment
        isIntact = false
        if head.salts != tail.salts {
            tail = LogTail(of: head, pageSize: pageSize, after: tail.commits)
            encoder.beginLog()
        }
        let isCut = tail.frame < head.lastFrame && othersRest?() ?? false
        var changes: [ChangeSet] = []
        var bytes = 0
        while tail.frame < head.lastFrame, bytes < DatabaseFollower.lookBytes {
            let isBehind = head.lastFrame - tail.frame > DatabaseFollower.backlogFrames
            for commit in try readFrames(upTo: head) {
                guard commit.pages.count * pageSize <= DatabaseFollower.commitBytes else {
                    throw CaptureError(
                        .changedWhileReading, path, "a commit wrote \(commit.pages.count) pages")
                }
                // One large commit is worth the work; many that wait are not.
                let change = try encoder.encode(
                    commit, from: held.files(), by: tail, seen: seen,
                    leaning: !isBehind || commit.pages.count > 64, isCut: isCut)
                bytes += change.bodies.count + change.entries.count * 40
                changes += try encoder.putBack(by: change, from: held.files(), tail) ?? [change]
            }
        }
        let isComplete = tail.frame == head.lastFrame
        if isComplete {
            guard head.lastFrame == 0 || tail.checksum == head.checksum else { throw doubt }
            // What came since another look at the head is not known.
            if limit == nil { encoder.look(at: looked) }
            tail.count(as: head.commits)
        }
        try proveArrears()
        isIntact = true
        return (changes, isComplete)
    }

    private var doubt: CaptureError {
        CaptureError(
            .changedWhileReading, path, "its WAL does not hold what its wal-index says")
    }

    private func readFrames(upTo head: WALIndexHead) throws -> [LoggedCommit] {
        let log = try held.files().log
        if tail.checksum == nil {
            let header = try capturing(path) { () throws(SQLiteError) in
                try log.bytes(WALFrames.headerSize, at: 0)
            }
            guard tail.begin(with: header) else { throw doubt }
        }
        guard tail.provedFrame < head.lastFrame else { throw doubt }
        let count = min(
            portion.bytes.count / tail.frameSize, Int(head.lastFrame - tail.provedFrame))
        let bytes = UnsafeMutableRawBufferPointer(
            rebasing: portion.bytes[..<(count * tail.frameSize)])
        let isWhole = try capturing(path) { () throws(SQLiteError) in
            try log.read(into: bytes, at: tail.nextOffset)
        }
        guard isWhole, let commits = tail.take(UnsafeRawBufferPointer(bytes)) else { throw doubt }
        return commits
    }
}

// MARK: Hand over hand

extension DatabaseFollower {
    /// Whether a look would find commits, or others wait for the reader that is held; where it
    /// would find none, this was one.
    func isDue() throws -> Bool {
        let looked = world.moment
        let (head, backfilled) = try held.head()
        if head.salts != tail.salts || head.lastFrame != tail.frame { return true }
        encoder.look(at: looked)
        return head.lastFrame > 0 && backfilled == head.lastFrame && !heldIsPastLog
    }

    /// What the wal-index says now.
    func logHead() throws -> WALIndexHead { try held.head().head }

    /// Whether all that the wal-index tells of is captured.
    func isCaughtUp() throws -> Bool {
        let head = try logHead()
        return head.salts == tail.salts && head.lastFrame == tail.frame
    }

    /// Whether the held reader may keep others from beginning the log anew.
    ///
    /// SQLite does not tell which lock a reader got: one that began while a checkpoint was at work
    /// may pin a log that is wholly in the database, and one that began before the last commit
    /// keeps that from being copied. Who waits for either holds writers up; so it is renewed.
    func mayHoldUp() throws -> Bool {
        let (head, backfilled) = try held.head()
        return head.lastFrame > 0 && (backfilled == head.lastFrame || heldFrame < head.lastFrame)
            && monotonicNanoseconds() - heldSince > DatabaseFollower.longestHold
            && mayHandOver(head, backfilled)
    }

    /// Whether a reader may begin now: where one gets lock 0, or has it, no other was let go of.
    private func mayHandOver(_ head: WALIndexHead, _ backfilled: UInt32) -> Bool {
        backfilled == head.lastFrame || heldIsPastLog
            || monotonicNanoseconds() - slotFreedAt > DatabaseFollower.slotRest
    }

    /// Captures what was committed and hands it to `keep`, which returns once it is durable; then
    /// the next reader takes over, unless one has just ended: the one that is held will do.
    /// Where `keep` throws, nothing is lost: the log stays.
    ///
    /// - Returns: whether all was captured that was committed when the look began.
    @discardableResult
    func step(keep: ([ChangeSet]) throws -> Void) throws -> Bool {
        let (head, backfilled) = try held.head()
        guard mayHandOver(head, backfilled) else {
            let (changes, isComplete) = try look()
            try settle(changes, keep)
            return isComplete
        }
        let next = try begun()
        do {
            let (changes, isComplete) = try look()
            try settle(changes, keep)
            guard isComplete else {
                giveUp(next)
                return false
            }
        } catch {
            giveUp(next)
            throw error
        }
        try handOver(to: next, beganAfter: head, backfilled)
        return true
    }

    /// Captures all up to the state that another reader holds, and no more.
    func catchUp(to state: DatabaseView, keep: ([ChangeSet]) throws -> Void) throws {
        guard let head = state.logged?.head else { throw doubt }
        while true {
            let (changes, isComplete) = try look(upTo: head)
            try settle(changes, keep)
            if isComplete { return }
        }
    }

    /// Hands change sets on; those that were not kept come first the next time.
    func settle(_ changes: [ChangeSet], _ keep: ([ChangeSet]) throws -> Void) throws {
        unkept += changes
        guard !unkept.isEmpty else { return }
        try keep(unkept)
        unkept.removeAll()
    }

    func begun() throws -> DatabaseReader {
        let next =
            try spare ?? DatabaseReader(opening: path, busyTimeoutMilliseconds: 500)
        spare = next
        try next.hold()
        guard next.journalMode == .wal, next.pageSize == pageSize else {
            next.letGo()
            throw CaptureError(.changedWhileReading, path, "its journal mode or page size changed")
        }
        return next
    }

    func giveUp(_ next: DatabaseReader) {
        next.letGo()
        slotFreedAt = monotonicNanoseconds()
    }

    func handOver(
        to next: DatabaseReader, beganAfter earlier: WALIndexHead, _ copied: UInt32
    ) throws {
        let (head, backfilled) = try next.head()
        heldSince = monotonicNanoseconds()
        if !heldIsPastLog { slotFreedAt = heldSince }
        // Where it was so before and after it began, it was so when it chose its lock.
        heldIsPastLog =
            backfilled == head.lastFrame && copied == backfilled && earlier.salts == head.salts
        heldFrame = earlier.lastFrame
        held.letGo()
        (held, spare) = (next, held)
    }

    /// Captures what is left of a file that is not at its path any more, from where it is open.
    func captureRest(keep: ([ChangeSet]) throws -> Void) throws {
        while true {
            let (changes, isComplete) = try look()
            try settle(changes, keep)
            if isComplete { return }
        }
    }

    /// Ends following; the log stays as it is.
    func end(leavingLog: Bool) {
        for reader in [held, spare].compactMap({ $0 }) {
            reader.letGo()
            if leavingLog { reader.closeUntouched() } else { reader.close() }
        }
        spare = nil
    }
}
