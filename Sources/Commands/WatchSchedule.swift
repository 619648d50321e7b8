import Platform
import Repository
import Synchronization

/// Makes the snapshots of services while their databases are watched, one after another.
///
/// Each is made by another process of this program: one that read the files of databases here
/// would drop the locks that SQLite holds on them when it closes them (fcntl(2)). A snapshot that
/// was missed while nobody watched is made at once; one that failed is told and tried again.
final class WatchSchedule: Sendable {
    /// A service, and when it is its turn.
    private struct Turn {
        let service: String
        let interval: UInt64
        let words: [[UInt8]]
        var dueAt: UInt64
        var failures = 0
    }

    private struct State {
        var isStopping = false
        var child: Subprocess?
        var thread: WorkerThread?
    }

    private static let tick: UInt64 = 100_000_000
    /// Nanoseconds to the next try after a failure; doubled each time, up to the schedule's own.
    private static let firstRetry: UInt64 = 5_000_000_000
    /// Nanoseconds that a snapshot has to end once it was asked to.
    private static let patience: UInt64 = 5_000_000_000

    private let turns: [Turn]
    private let clock: any Clock
    private let log: WatchLog
    private let state = Mutex(State())

    init(
        _ plan: WatchPlan, _ session: Session, _ context: CommandContext, _ log: WatchLog
    ) throws {
        clock = context.clock
        self.log = log
        guard !plan.scheduled.isEmpty else {
            turns = []
            return
        }
        let words = try ProgramWords(context.settings)
        let made = try session.repository.snapshots().readable.map(\.snapshot).filter {
            $0.host == plan.host
        }
        let now = context.clock.now()
        let boot = context.clock.bootTime()
        turns = plan.scheduled.compactMap { service in
            guard let interval = service.schedule?.nanoseconds else { return nil }
            let label = WatchSchedule.label(of: service.name)
            let last = made.filter { $0.tags.contains(label) }.map(\.time).max()
            return Turn(
                service: service.name, interval: interval,
                words: words.backup(of: service, label: label, host: plan.host),
                dueAt: boot + WatchSchedule.rest(of: interval, since: last, now: now))
        }
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
                    turn(&turns[next])
                } else {
                    clock.sleep(nanoseconds: WatchSchedule.tick)
                }
            }
        }
        state.withLock { $0.thread = thread }
    }

    private func turn(_ turn: inout Turn) {
        let began = clock.bootTime()
        let problem = run(turn)
        guard !state.withLock({ $0.isStopping }) else { return }
        if let problem {
            log.warn("the snapshot of service \(turn.service) failed: \(problem); tried again")
            let pause = WatchSchedule.firstRetry << UInt64(min(turn.failures, 10))
            turn.failures += 1
            turn.dueAt = clock.bootTime() + min(pause, turn.interval)
        } else {
            turn.failures = 0
            turn.dueAt = began + turn.interval
        }
    }

    /// Nil where a snapshot was made.
    private func run(_ turn: Turn) -> String? {
        do {
            // What it has to say of failures goes where ours goes.
            let child = try Subprocess(turn.words, output: .null)
            let isStopping = state.withLock { state in
                state.child = child
                return state.isStopping
            }
            if isStopping { child.kill() }
            let status = try child.wait()
            state.withLock { $0.child = nil }
            switch status {
            case .exited(ExitCode.done.rawValue):
                log.detail("service \(turn.service): a snapshot was made")
            case .exited(ExitCode.incomplete.rawValue):
                log.warn("the snapshot of service \(turn.service) is not complete")
            default: return "\(status)"
            }
            return nil
        } catch {
            return "\(error)"
        }
    }

    // MARK: Ending

    /// Asks a snapshot that is being made to end; none begins after that.
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

/// Command lines for another process of this program that works with the same repository.
private struct ProgramWords {
    private let program = Array("/proc/self/exe".utf8)
    private let repository: [[UInt8]]

    init(_ settings: CommandSettings) throws(CommandError) {
        var words: [[UInt8]] = [
            Array("--repo".utf8), try settings.repository().bytes, Array("--cache-dir".utf8),
            settings.cacheDirectory.bytes,
        ]
        switch settings.password {
        case .file(let path): words += [Array("--password-file".utf8), path.bytes]
        case .command(let command): words += [Array("--password-command".utf8), command]
        case .none: words.append(Array("--insecure-no-password".utf8))
        case .given: break  // it stands in the environment, which is handed down
        case .terminal:
            throw .usage(
                "a watch that makes snapshots cannot ask for the password each time",
                hint: "say passwordFile or passwordCommand in the configuration")
        }
        repository = words
    }

    func backup(
        of service: HostConfiguration.ServiceEntry, label: String, host: String
    ) -> [[UInt8]] {
        let options = ["--quiet", "--host", host, "--tag", label, "--"].map { Array($0.utf8) }
        let paths = (service.databases + service.trees).map(\.value.bytes)
        return [program, Array("backup".utf8)] + repository + options + paths
    }
}
