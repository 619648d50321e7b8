import Platform
import Repository
import Synchronization

/// Makes the snapshots of services while their databases are watched, and keeps what their policies
/// say, one after another.
///
/// Each is done by another process of this program: one that read the files of databases here
/// would drop the locks that SQLite holds on them when it closes them (fcntl(2)). A snapshot that
/// was missed while nobody watched is made at once; what failed is told and tried again. Behind
/// each snapshot of a service, and once a day, its policy is applied; what nothing needs any more
/// is freed by a prune now and then.
final class WatchSchedule: Sendable {
    /// Something to do, and when it is its turn.
    private struct Turn {
        let work: WatchWork
        let interval: UInt64
        let words: [[UInt8]]
        var dueAt: UInt64
        var failures = 0
        /// How often in a row there was more to do.
        var unfinished = 0
    }

    private struct State {
        var isStopping = false
        var child: Subprocess?
        var thread: WorkerThread?
    }

    private static let tick: UInt64 = 100_000_000
    /// Nanoseconds to the next try after a failure; doubled each time, up to the schedule's own.
    private static let firstRetry: UInt64 = 5_000_000_000
    /// Nanoseconds that a child has to end once it was asked to.
    private static let patience: UInt64 = 5_000_000_000
    private static let outputLimit = 64 << 20

    private let turns: [Turn]
    private let clock: any Clock
    private let log: WatchLog
    private let state = Mutex(State())

    init(
        _ plan: WatchPlan, _ session: Session, _ context: CommandContext, _ log: WatchLog
    ) throws {
        clock = context.clock
        self.log = log
        guard !plan.services.isEmpty else {
            turns = []
            return
        }
        if case .terminal = context.settings.password,
            plan.services.allSatisfy({ $0.schedule == nil })
        {
            log.warn("old history stays: nobody can be asked for the password when it is pruned")
            turns = []
            return
        }
        let words = try ProgramWords(context.settings)
        turns =
            try WatchSchedule.snapshots(plan, session, context, words)
            + WatchSchedule.upkeep(plan, context, words)
    }

    private static func snapshots(
        _ plan: WatchPlan, _ session: Session, _ context: CommandContext, _ words: ProgramWords
    ) throws -> [Turn] {
        let made = try session.repository.snapshots().readable.map(\.snapshot).filter {
            $0.host == plan.host
        }
        let now = context.clock.now()
        let boot = context.clock.bootTime()
        return plan.services.compactMap { service in
            guard let interval = service.schedule?.nanoseconds else { return nil }
            let label = WatchSchedule.label(of: service.name)
            let last = made.filter { $0.tags.contains(label) }.map(\.time).max()
            return Turn(
                work: .snapshot(of: service.name), interval: interval,
                words: words.backup(of: service, label: label, host: plan.host),
                dueAt: boot + WatchSchedule.rest(of: interval, since: last, now: now))
        }
    }

    private static func upkeep(
        _ plan: WatchPlan, _ context: CommandContext, _ words: ProgramWords
    ) -> [Turn] {
        let boot = context.clock.bootTime()
        let day = WatchUpkeep.forget.nanoseconds
        let forgets = plan.services.filter(\.keep.forgets).map { service in
            Turn(
                work: .forget(of: service.name, service.keep), interval: day,
                words: words.forget(
                    service, label: label(of: service.name), host: plan.host), dueAt: boot + day)
        }
        let interval = plan.pruneInterval.nanoseconds
        let prune = Turn(
            work: .prune, interval: interval, words: words.prune(plan.services, host: plan.host),
            dueAt: boot + min(interval, WatchUpkeep.firstPrune.nanoseconds))
        return forgets + [prune]
    }

    /// The label that marks a service's snapshots.
    static func label(of service: String) -> String { "service:\(service)" }

    /// Nanoseconds until the next snapshot; none where the last one is of the future, for then a
    /// clock was wrong.
    static func rest(of interval: UInt64, since last: Timestamp?, now: Timestamp) -> UInt64 {
        guard let last, last <= now else { return 0 }
        let age = UInt64(clamping: now.seconds - last.seconds)
        let (nanoseconds, overflow) = age.multipliedReportingOverflow(by: 1_000_000_000)
        return overflow || nanoseconds >= interval ? 0 : interval - nanoseconds
    }

    // MARK: Running

    func start() {
        guard !turns.isEmpty else { return }
        let thread = WorkerThread(name: "schedule") { [self] in
            var turns = turns
            while !state.withLock({ $0.isStopping }) {
                let now = clock.bootTime()
                if let next = turns.indices.min(by: { turns[$0].dueAt < turns[$1].dueAt }),
                    turns[next].dueAt <= now
                {
                    if turn(&turns[next]), case .snapshot(let service) = turns[next].work {
                        WatchSchedule.forgetNext(service, in: &turns, at: now)
                    }
                } else {
                    clock.sleep(nanoseconds: WatchSchedule.tick)
                }
            }
        }
        state.withLock { $0.thread = thread }
    }

    private static func forgetNext(_ service: String, in turns: inout [Turn], at now: UInt64) {
        for index in turns.indices {
            guard case .forget(service, _) = turns[index].work else { continue }
            turns[index].dueAt = now
        }
    }

    /// False where it was not done, and is tried again.
    private func turn(_ turn: inout Turn) -> Bool {
        let began = clock.bootTime()
        let outcome = run(turn)
        guard !state.withLock({ $0.isStopping }) else { return false }
        if case .failed(let problem) = outcome {
            log.warn("\(turn.work.name) failed: \(problem); tried again")
            let pause = WatchSchedule.firstRetry << UInt64(min(turn.failures, 10))
            turn.failures += 1
            turn.dueAt = clock.bootTime() + min(pause, turn.interval)
            return false
        }
        turn.failures = 0
        turn.dueAt = began + turn.interval
        if case .unfinished = outcome, turn.unfinished + 1 < WatchUpkeep.prunesInARow {
            turn.unfinished += 1
            turn.dueAt = began + min(turn.interval, WatchUpkeep.pruneAgain.nanoseconds)
        } else {
            turn.unfinished = 0
        }
        return true
    }

    private func run(_ turn: Turn) -> WatchOutcome {
        do {
            if let beforehand = turn.work.beforehand { log.detail(beforehand) }
            // What it has to say of failures goes where ours goes.
            let child = try Subprocess(turn.words, output: .pipe)
            let isStopping = state.withLock { state in
                state.child = child
                return state.isStopping
            }
            if isStopping { child.kill() }
            let output = try child.takeOutput()?.readAll(limit: WatchSchedule.outputLimit) ?? []
            let status = try child.wait()
            state.withLock { $0.child = nil }
            return turn.work.tell(status, output, to: log)
        } catch {
            return .failed("\(error)")
        }
    }

    // MARK: Ending

    /// Asks what is being done to end; nothing begins after that.
    func interrupt() {
        state.withLock { state in
            state.isStopping = true
            state.child?.kill()
        }
    }

    /// Ends the thread, and what does not end by itself.
    func stop() {
        interrupt()
        let end = clock.bootTime() + WatchSchedule.patience
        while state.withLock({ $0.child != nil }) {
            if clock.bootTime() > end { state.withLock { $0.child?.kill(9) } }
            clock.sleep(nanoseconds: WatchSchedule.tick / 10)
        }
        state.withLock { $0.thread.take() }?.join()
    }
}
