// Moves journals into the repository, on a thread of its own, and on demand.
//
// While the repository cannot be written the journals keep what was captured; each failure is told
// once, and the next success too.

import Platform
import Repository
import Synchronization

/// What the sealing thread has to tell the capture thread of one journal.
struct SealingNews {
    /// A recorded state that did not restore.
    var hurt: Position?
    /// Whether what the journal holds can never be sealed as it is.
    var isJournalHurt = false
}

final class JournalSealing: Sendable {
    /// What one journal is sealed with.
    private struct Sealing {
        /// When it is to be sealed, at the latest.
        var dueAt: UInt64 = 0
        /// When one of its states is to be restored.
        var checkAt: UInt64
        /// Why it could not be sealed, where that has nothing to do with the repository.
        var problem = ""
        var sealer: Sealer?
        /// The lease the sealer works under.
        var lease: LeaseID?
    }

    private final class Entry: Sendable {
        let path: FilePath
        let journal: Journal
        let settings: WatchSettings
        let lock: Mutex<Sealing>

        init(_ path: FilePath, _ journal: Journal, _ settings: WatchSettings, now: UInt64) {
            lock = Mutex(Sealing(checkAt: now + settings.selfCheck))
            self.path = path
            self.journal = journal
            self.settings = settings
        }
    }

    private struct State {
        var entries: [Entry] = []
        var news: [ObjectIdentifier: SealingNews] = [:]
        var isStopping = false
        var isAway = false
        /// When it is to be said again which marks are honoured.
        var declaresAt: UInt64 = 0
        /// Whether the capture thread does not know yet that the repository is back.
        var cameBack = false
        var thread: WorkerThread?
    }

    /// Nanoseconds between looks at the journals' sizes.
    private static let pause: UInt64 = 100_000_000
    /// Nanoseconds between tries while the repository is away, at first and at most.
    private static let awayPause: ClosedRange<UInt64> = 250_000_000...5_000_000_000

    /// Nanoseconds between declarations of which marks are honoured.
    private static let declaration: UInt64 = 60_000_000_000

    private let access: WatchRepository
    private let wake: Wake
    private let report: @Sendable (WatchNotice) -> Void
    private let state = Mutex(State())

    init(
        _ access: WatchRepository, wake: Wake,
        _ report: @escaping @Sendable (WatchNotice) -> Void
    ) {
        self.access = access
        self.wake = wake
        self.report = report
    }

    func add(_ journal: Journal, of path: FilePath, _ settings: WatchSettings) {
        state.withLock { $0.entries.append(Entry(path, journal, settings, now: clock.bootTime())) }
    }

    /// Lets a journal go; false, and it stays, while it holds records.
    func remove(_ journal: Journal) -> Bool {
        guard let entry = entry(of: journal) else { return true }
        // While it is being sealed it stays: nobody waits for the repository here.
        let isRemoved = entry.lock.withLockIfAvailable { _ in
            guard journal.records == 0 else { return false }
            forget(journal)
            return true
        }
        return isRemoved ?? false
    }

    /// Seals a journal no more; what it holds waits for whoever opens it next.
    func forget(_ journal: Journal) {
        state.withLock { state in
            state.entries.removeAll { $0.journal === journal }
            state.news[ObjectIdentifier(journal)] = nil
        }
    }

    /// Sets aside what a journal holds.
    func setAside(_ journal: Journal, because error: JournalError) throws -> JournalLoss {
        guard let entry = entry(of: journal) else { return try journal.setAsideAll(because: error) }
        return try entry.lock.withLock { _ in try journal.setAsideAll(because: error) }
    }

    private func entry(of journal: Journal) -> Entry? {
        state.withLock { $0.entries.first { $0.journal === journal } }
    }

    /// Seals one journal now.
    func seal(_ journal: Journal) throws {
        if let entry = entry(of: journal) { try seal(entry) }
    }

    private func seal(_ entry: Entry) throws {
        try entry.lock.withLock { sealing in
            sealing.dueAt = clock.bootTime() + entry.settings.sealInterval
            guard entry.journal.records > 0 else { return }
            let lease = try access.lease()
            if sealing.lease != lease.id {
                sealing.sealer = Sealer(of: entry.journal, into: access.repository, under: lease)
                sealing.lease = lease.id
            }
            guard let sealed = try sealing.sealer?.seal() else { return }
            report(
                .sealed(
                    entry.path, sealed.end.position, records: sealed.records, bytes: sealed.bytes))
        }
    }

    private var clock: any Clock { access.repository.world.clock }

    func start() {
        let thread = WorkerThread(name: "seal") { [self] in
            var awayPause = JournalSealing.awayPause.lowerBound
            while !state.withLock({ $0.isStopping }) {
                if turn() {
                    awayPause = JournalSealing.awayPause.lowerBound
                    clock.sleep(nanoseconds: JournalSealing.pause)
                } else {
                    clock.sleep(nanoseconds: awayPause)
                    awayPause = min(awayPause * 2, JournalSealing.awayPause.upperBound)
                }
            }
        }
        state.withLock { $0.thread = thread }
    }

    /// Seals what is due; false where the repository is away.
    private func turn() -> Bool {
        do {
            for entry in state.withLock({ $0.entries }) {
                let isOld = entry.lock.withLock { $0.dueAt } <= clock.bootTime()
                guard isOld || entry.journal.bytes > entry.settings.sealBytes else { continue }
                try sealNoting(entry)
                try check(entry)
            }
            try declareMarks()
            try noteBack()
            return true
        } catch {
            let isNew = state.withLock { state in
                defer { state.isAway = true }
                return !state.isAway
            }
            if isNew { report(.repositoryAway(reason: "\(error)")) }
            return false
        }
    }

    private func declareMarks() throws {
        let now = clock.bootTime()
        guard state.withLock({ $0.declaresAt }) <= now else { return }
        try access.declareMarks()
        state.withLock { $0.declaresAt = now + JournalSealing.declaration }
    }

    /// Seals a journal; what is wrong with it keeps no other one waiting.
    private func sealNoting(_ entry: Entry) throws {
        var problem = ""
        do {
            try seal(entry)
        } catch let error as JournalError where [.damaged, .detached].contains(error.code) {
            // The capture thread sets it aside, and says so.
            noteNews(of: entry) { $0.isJournalHurt = true }
        } catch let error as JournalError {
            problem = error.reasonAndRemedy
        }
        let isNew = entry.lock.withLock { sealing in
            defer { sealing.problem = problem }
            return sealing.problem != problem
        }
        if isNew, !problem.isEmpty { report(.waiting(entry.path, reason: problem)) }
    }

    /// Brings a recent state back now and then, and raises the alarm where that fails.
    private func check(_ entry: Entry) throws {
        let now = clock.bootTime()
        let isDue = entry.lock.withLock { sealing in
            guard sealing.checkAt <= now else { return false }
            sealing.checkAt = now + entry.settings.selfCheck
            return true
        }
        guard isDue else { return }
        do {
            let position = try SelfCheck.run(
                on: entry.journal.identity.stream, in: access.repository)
            if let position { report(.selfChecked(entry.path, position)) }
        } catch let error as SelfCheckFailed {
            report(.selfCheckFailed(entry.path, error.position, reason: error.reason))
            noteNews(of: entry) { $0.hurt = error.position }
        }
    }

    private func noteNews(of entry: Entry, _ change: (inout SealingNews) -> Void) {
        state.withLock { change(&$0.news[ObjectIdentifier(entry.journal), default: SealingNews()]) }
    }

    /// What is new of a journal's database, once each time.
    func takeNews(of journal: Journal) -> SealingNews? {
        state.withLock { state in
            state.news.isEmpty ? nil : state.news.removeValue(forKey: ObjectIdentifier(journal))
        }
    }

    /// Tells that the repository is back, once it takes a lease: what is sealed may be nothing.
    private func noteBack() throws {
        guard isAway else { return }
        _ = try access.lease()
        state.withLock { ($0.isAway, $0.cameBack) = (false, true) }
        report(.repositoryBack)
        try wake.ring()
    }

    /// Whether the repository was away and is back, once each time.
    func takeReturn() -> Bool {
        state.withLock { state in
            defer { state.cameBack = false }
            return state.cameBack
        }
    }

    /// Whether the last try to write the repository failed.
    var isAway: Bool { state.withLock { $0.isAway } }

    /// Ends the thread and seals all that is left; throws what made the first try fail that did.
    func finish() throws {
        let thread = state.withLock { state in
            state.isStopping = true
            defer { state.thread = nil }
            return state.thread
        }
        thread?.join()
        let failure = FirstFailure()
        for entry in state.withLock({ $0.entries }) {
            do {
                try seal(entry)
            } catch {
                failure.record(error)
                report(.leftInJournal(entry.path, records: entry.journal.records))
            }
        }
        try failure.check()
    }
}
