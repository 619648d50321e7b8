// Moves journals into the repository, on a thread of its own, and on demand.
//
// While the repository cannot be written the journals keep what was captured; each failure is told
// once, and the next success too.

import Platform
import Repository
import Synchronization

final class JournalSealing: Sendable {
    /// What one journal is sealed with.
    private struct Sealing {
        /// When it was sealed last.
        var at: UInt64 = 0
        /// When one of its states was restored last.
        var checkedAt: UInt64
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
            lock = Mutex(Sealing(checkedAt: now))
            self.path = path
            self.journal = journal
            self.settings = settings
        }
    }

    private struct State {
        var entries: [Entry] = []
        var isStopping = false
        var isAway = false
        var thread: WorkerThread?
    }

    /// Nanoseconds between looks at the journals' sizes.
    private static let pause: UInt64 = 100_000_000
    /// Nanoseconds between tries while the repository is away.
    private static let awayPause: UInt64 = 5_000_000_000

    private let access: WatchRepository
    private let report: @Sendable (WatchNotice) -> Void
    private let state = Mutex(State())

    init(
        _ access: WatchRepository, _ report: @escaping @Sendable (WatchNotice) -> Void
    ) {
        self.access = access
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
            state.withLock { state in state.entries.removeAll { $0 === entry } }
            return true
        }
        return isRemoved ?? false
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
            sealing.at = clock.bootTime()
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
            while !state.withLock({ $0.isStopping }) {
                clock.sleep(nanoseconds: turn() ? JournalSealing.pause : JournalSealing.awayPause)
            }
        }
        state.withLock { $0.thread = thread }
    }

    /// Seals what is due; false where the repository is away.
    private func turn() -> Bool {
        let now = clock.bootTime()
        for entry in state.withLock({ $0.entries }) {
            let isOld = now - entry.lock.withLock { $0.at } > entry.settings.sealInterval
            guard isOld || entry.journal.bytes > entry.settings.sealBytes else { continue }
            do {
                try seal(entry)
                noteBack()
                try check(entry, now)
            } catch {
                let isNew = state.withLock { state in
                    defer { state.isAway = true }
                    return !state.isAway
                }
                if isNew { report(.repositoryAway(reason: "\(error)")) }
                return false
            }
        }
        return true
    }

    /// Brings a recent state back now and then, and raises the alarm where that fails.
    private func check(_ entry: Entry, _ now: UInt64) throws {
        let isDue = entry.lock.withLock { sealing in
            guard now - sealing.checkedAt > entry.settings.selfCheck else { return false }
            sealing.checkedAt = now
            return true
        }
        guard isDue else { return }
        do {
            let position = try SelfCheck.run(
                on: entry.journal.identity.stream, in: access.repository)
            if let position { report(.selfChecked(entry.path, position)) }
        } catch let error as SelfCheckFailed {
            report(.selfCheckFailed(entry.path, error.position, reason: error.reason))
        }
    }

    private func noteBack() {
        let wasAway = state.withLock { state in
            defer { state.isAway = false }
            return state.isAway
        }
        if wasAway { report(.repositoryBack) }
    }

    /// Ends the thread and seals all that is left; throws what made the last try fail.
    func finish() throws {
        let thread = state.withLock { state in
            state.isStopping = true
            defer { state.thread = nil }
            return state.thread
        }
        thread?.join()
        for entry in state.withLock({ $0.entries }) { try seal(entry) }
    }
}
