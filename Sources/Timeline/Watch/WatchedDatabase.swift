// One database under watch, from its first look to its last:
//
//     waiting → (claim, journal sealed, state held, compared) → following → waiting …
//
// In WAL mode each commit is followed; in rollback-journal modes there is no log, and each change
// is compared with what was recorded before. Used by the capture thread alone; the sealing thread
// has the journal.

import Codec
import Glibc
import Platform
import Repository
import SQLite

final class WatchedDatabase {
    enum Phase {
        case waiting
        case following(DatabaseFollower)
        /// A database in a rollback-journal mode, as it was when it was recorded last.
        case comparing(Snapshot.Database)
    }

    /// Nanoseconds between tries to begin, at first and at most.
    static let patience: ClosedRange<UInt64> = 500_000_000...30_000_000_000
    /// Nanoseconds to try for the write lock.
    static let lockPatience: UInt64 = 200_000_000
    /// Nanoseconds without a change after which the log is copied into the database.
    static let idle: UInt64 = 1_000_000_000
    /// Bytes of a log that is kept from being begun anew while commits cannot be journalled.
    static let mostLogBytes: UInt64 = 1 << 30
    /// Bytes of change sets after which a complete base is worth its while, at least.
    static let baseBytes: UInt64 = 64 << 20
    /// Nanoseconds after a base that was recorded since a state did not restore in which no other
    /// one is: the states before it go on failing.
    static let mendingPause: UInt64 = 3_600_000_000_000
    /// Nanoseconds between looks after a notice: a commit shows only once its sync is done, and
    /// nothing tells of that.
    static let eagerPause: UInt64 = 100_000
    static let lazyPause: UInt64 = 20_000_000
    /// Nanoseconds between looks at a quiet database: so few that the look before a commit is close
    /// enough for its time to be certain (``MomentSearch/closeNanoseconds``).
    static let idlePause: UInt64 = 500_000_000

    let path: FilePath
    let access: WatchRepository
    let settings: WatchSettings
    let sealing: JournalSealing
    let portion: LogPortion
    private let around: LookAround
    /// Whether it was found beneath a watched directory, and nobody named it.
    let isFound: Bool
    let report: @Sendable (WatchNotice) -> Void
    /// Called again and again while something takes long, and gets on.
    let progress: () -> Void
    var phase = Phase.waiting {
        didSet {
            guard case .following(let follower) = phase else { return }
            follower.othersRest = { [unowned self] in around.isStill(but: self) }
        }
    }
    var keeper: LogKeeper?
    var mark: MarkFile?
    var journal: Journal?
    var retryPause = WatchedDatabase.patience.lowerBound
    /// Nanoseconds to the next look while something may still come.
    var pause = WatchedDatabase.eagerPause
    var dueAt: UInt64 = 0
    var noticedAt: UInt64 = 0
    var lockTriedAt: UInt64 = 0
    /// Whether nothing came since the log was copied into the database.
    var isSettled = false
    var bytesSinceBase: UInt64 = 0
    /// The state that did not restore, until a complete base makes those behind it good.
    var hurt: Position?
    /// When a complete base was recorded for that.
    var mendedAt: UInt64?
    var file: FileStatus?
    /// The subject of the claim on the file.
    var fileClaim: String?
    var lastReason = ""
    /// Where there is no log, the last look at which nothing had changed.
    var lastLook: LastLook?
    /// When it began to be followed, or compared, last.
    var begunAt: UInt64 = 0
    /// Whether what is there has to be compared, since it could not be followed from where it was.
    var mustCompare = false
    /// Before then it is not compared again, whatever happens to it.
    var restsUntil: UInt64 = 0
    /// Whether SQLite would cut its log after a crash.
    var isLogBroken = false
    var saidLogBroken = false
    /// The state that a restore is about to put back.
    var expected: PutBackState?

    init(
        _ path: FilePath, access: WatchRepository, settings: WatchSettings,
        sealing: JournalSealing, portion: LogPortion, around: LookAround, isFound: Bool = false,
        progress: @escaping () -> Void, report: @escaping @Sendable (WatchNotice) -> Void
    ) {
        self.progress = progress
        self.isFound = isFound
        self.path = path
        self.access = access
        self.settings = settings
        self.sealing = sealing
        self.portion = portion
        self.around = around
        self.report = report
    }

    var clock: any Clock { access.repository.world.clock }

    /// The file that this process may have open.
    var identity: FileIdentity? { file.map(FileIdentity.init) }

    /// What its wal-index says; nil where it is not followed, or cannot be told.
    var logHead: WALIndexHead? {
        guard case .following(let follower) = phase else { return nil }
        return try? follower.logHead()
    }

    /// Whether all that its wal-index tells of is captured.
    var isCaughtUp: Bool {
        guard case .following(let follower) = phase else { return false }
        return (try? follower.isCaughtUp()) ?? false
    }

    /// Whether the file is not there any more.
    var isGone = false

    /// Lets the journal go, where all of it is in the repository.
    func retire() -> Bool {
        guard let journal else { return true }
        return sealing.remove(journal)
    }

    /// Something happened to the database's files.
    func notice() {
        dueAt = restsUntil
        pause = WatchedDatabase.eagerPause
        noticedAt = clock.bootTime()
    }

    /// Does what is due, and says in ``dueAt`` when to come again. What cannot be done now is
    /// reported and tried again.
    func turn() {
        let now = clock.bootTime()
        if case .waiting = phase {
        } else if now - begunAt > retryPause {
            retryPause = WatchedDatabase.patience.lowerBound
        }
        do {
            switch phase {
            case .waiting: try begin()
            case .following(let follower): try follow(follower, now)
            case .comparing(let known): try compare(known, now)
            }
        } catch {
            fail(error, now)
        }
    }

    /// Ends all readers; the next turn begins anew, by comparison where it must.
    func stopFollowing(leavingLog: Bool) {
        keeper?.close()
        keeper = nil
        if case .following(let follower) = phase { follower.end(leavingLog: leavingLog) }
        phase = .waiting
    }
}

// MARK: Following

extension WatchedDatabase {
    private func follow(_ follower: DatabaseFollower, _ now: UInt64) throws {
        guard try isSameFile() else { return leave(follower) }
        let news = takeNews()
        guard !news.isJournalHurt else {
            stopFollowing(leavingLog: true)
            return dueAt = now
        }
        if let state = news.hurt { note(hurt: state, now) }
        if try follower.isDue() || follower.hasUnkept {
            isSettled = false
            noticedAt = now
            pause = WatchedDatabase.eagerPause
            // Bounded: other databases wait for this one.
            for _ in 0..<4 {
                if try follower.step(keep: { try self.keep($0, of: follower) }) { break }
            }
            lastReason = ""
        } else if try follower.mayHoldUp() {
            try follower.step { try self.keep($0, of: follower) }
        }
        try limitLog(of: follower, now)
        if wantsBase(follower), !sealing.isAway { return try rebase(follower) }
        if now - noticedAt > WatchedDatabase.idle {
            if !isSettled { try settle(follower) }
            dueAt = now + WatchedDatabase.idlePause
        } else {
            dueAt = now + pause
            pause = min(pause * 2, WatchedDatabase.lazyPause)
        }
    }

    private func isSameFile() throws -> Bool {
        let now = try FileStatus.ofExisting(path)
        return now.map(FileIdentity.init) == identity
    }

    /// The file was removed or replaced: its last commits are taken from where it is still open,
    /// and the next turn sees what lies at the path now.
    private func leave(_ follower: DatabaseFollower) {
        do {
            try follower.captureRest {
                try journal?.append($0)
                note($0)
            }
        } catch {
            report(.waiting(path, reason: "it was removed, and its last commits with it: \(error)"))
        }
        stopFollowing(leavingLog: true)
        dueAt = 0
    }

    func keep(_ changes: [ChangeSet], of follower: DatabaseFollower) throws {
        guard let journal else { preconditionFailure("a database is followed without a journal") }
        guard journal.bytes < settings.journalLimit else {
            report(.journalFull(path, bytes: journal.bytes))
            throw JournalFull(path: path)
        }
        // An earlier try may have failed behind the journal.
        let end = journal.end?.position
        let new = Array(
            changes.drop { change in end.map { change.record.position <= $0 } ?? false })
        try journal.append(new)
        note(new)
        bytesSinceBase += new.reduce(0) { $0 + UInt64($1.bodies.count) }
        try writeMark(follower)
    }

    func writeMark(_ follower: DatabaseFollower) throws {
        if mark == nil {
            mark = MarkFile(
                try Descriptor.open(markPath, flags: O_RDWR | O_CREAT | O_NOFOLLOW))
        }
        try mark?.write(follower.mark())
    }

    /// Begins the log anew where it has grown; writers wait for a few milliseconds.
    private func limitLog(of follower: DatabaseFollower, _ now: UInt64) throws {
        guard let limit = settings.logLimit, follower.logBytes > limit || isLogBroken,
            now - lockTriedAt > WatchedDatabase.lockPatience
        else { return }
        lockTriedAt = now
        try shrink(follower, truncates: isLogBroken)
    }

    /// Nobody has written for a while: the log's content goes into the database, and where nobody
    /// else has it open the log is emptied, so that who copies the file by hand misses nothing.
    private func settle(_ follower: DatabaseFollower) throws {
        isSettled = true
        guard follower.logBytes > 0, try !OpenFiles.isOpenElsewhere(path) else { return }
        try shrink(follower, truncates: true)
    }

    private func shrink(_ follower: DatabaseFollower, truncates: Bool) throws {
        let keeper = try self.keeper ?? LogKeeper(path)
        self.keeper = keeper
        let isAnew = try follower.shrinkLog(
            with: keeper, patience: WatchedDatabase.lockPatience, truncates: truncates,
            keep: { try self.keep($0, of: follower) })
        // Where another reader still needs the log it stays, and is tried again.
        if isAnew, follower.heldIsPastLog { isLogBroken = false }
        try writeMark(follower)
    }

    /// A database without a log: whatever changed since the last look is one step.
    private func compare(_ known: Snapshot.Database, _ now: UInt64) throws {
        dueAt = now + WatchedDatabase.idle
        let moment = clock.now()
        let reader = try DatabaseReader(opening: path, busyTimeoutMilliseconds: 500)
        let isUnchanged: Bool
        do {
            isUnchanged =
                try reader.journalMode == .rollback
                && reader.isUnchanged(since: known.reference.fingerprint)
            reader.close()
        } catch {
            reader.close()
            throw error
        }
        guard !isUnchanged else {
            lastLook = LastLook(chain: known.reference.chain, wall: moment)
            return
        }
        try begin()
    }
}

// MARK: Sealing and ending

extension WatchedDatabase {
    /// Captures what is left and lets the database go.
    func end() {
        if case .following(let follower) = phase {
            do {
                for _ in 0..<100 {
                    if try follower.step(keep: { try self.keep($0, of: follower) }) { break }
                }
            } catch {
                report(.leftUnrecorded(path, reason: error.reasonAndRemedy))
            }
        } else if case .waiting = phase, !isGone {
            report(.leftUnrecorded(path, reason: lastReason))
        }
        // As the last one it copies the log into the database, as any connection does.
        stopFollowing(leavingLog: false)
    }

    /// The position that covers every commit made before now, sealed in the repository.
    func barrier() throws -> Snapshot.Database {
        switch phase {
        case .waiting:
            try begin()
            if case .waiting = phase { throw BarrierFailed(path: path) }
            return try barrier()
        case .comparing(let known):
            try compare(known, clock.bootTime())
            guard case .comparing(let now) = phase else { throw BarrierFailed(path: path) }
            return now
        case .following(let follower):
            while try !follower.step(keep: { try self.keep($0, of: follower) }) {}
            let (end, identity) = (follower.end, try follower.identity())
            guard let journal else { throw BarrierFailed(path: path) }
            try sealing.seal(journal)
            let stream = journal.identity.stream
            return Snapshot.Database(
                path: path.bytes,
                reference: DatabaseReference(
                    stream: stream, position: end.position, chain: end.chain,
                    fingerprint: identity.encoded),
                stateRoot: end.root.digest, pageSize: follower.pageSize,
                pageCount: end.pageCount)
        }
    }
}

/// The open mark of a database.
final class MarkFile {
    private let file: Descriptor

    init(_ file: consuming Descriptor) {
        self.file = file
    }

    func write(_ mark: CaptureMark) throws {
        try mark.write(to: file)
    }
}
