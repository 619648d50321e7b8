import Backup
import Codec
import Glibc
import Platform
import Repository
import Timeline

extension WatchCommand {
    /// Records commits until a signal ends it.
    static func run(_ parsed: ParsedCommand, _ context: CommandContext) throws -> ExitCode {
        let signals = try Signals([SIGINT, SIGTERM, SIGHUP])
        defer { withExtendedLifetime(signals) {} }
        let plan = try WatchPlan(parsed, context)
        let log = WatchLog(context)
        return try Session.run(context, purpose: "watch", writes: true) { session in
            let directory = plan.journals(of: session.repository)
            try WatchFolder.make(directory)
            let sources = plan.sources(journals: directory)
            try RivalWatch.refuse(
                sources, in: session.repository,
                patience: context.settings.retryLock?.nanoseconds ?? RivalWatch.grace
            ) {
                if Interruption.isRequested { throw Interrupted() }
            }
            let lease = try session.writingLease()
            let wake = try Wake()
            let barriers = try BarrierService(of: lease, wake: wake)
            defer { barriers.end() }
            let access = WatchRepository(session.repository, lease: lease) {
                try barriers.move(to: $0)
                log.say(
                    "this watch was stopped for so long that its lease was taken from it; "
                        + "it goes on under another one")
            }
            let heartbeat = Heartbeat(log)
            let watcher = try DatabaseWatcher(
                sources, into: access, wake: wake, excluding: plan.excluded(),
                progress: heartbeat.beat, report: log.tell)
            let schedule = try WatchSchedule(plan, session, context, log)
            defer { schedule.stop() }
            try ServiceSupervision.notify("READY=1")
            var rounds = 0
            try watcher.run {
                heartbeat.beat()
                rounds += 1
                // Now every database was begun: a snapshot asks for it instead of taking it.
                if rounds == 2 { schedule.start() }
                guard Interruption.isRequested else { return false }
                heartbeat.stop()
                schedule.interrupt()
                return true
            }
            try access.end()
            return log.hasProblems ? .incomplete : .done
        }
    }
}

/// Makes the folder for journals.
private enum WatchFolder {
    static func make(_ path: FilePath) throws {
        let disk = LinuxDisk()
        guard try disk.entry(at: path) == nil else { return }
        if path.parent != path { try make(path.parent) }
        do {
            try disk.makeDirectory(path)
            try disk.syncDirectory(path.parent)
        } catch {
            guard error.errno == .fileExists else {
                throw CommandError(
                    .failed, "cannot make the folder for journals: \(error)",
                    hint: "name another one with --data DIR")
            }
        }
    }
}

/// Tells the service manager that the capture thread gets on.
private final class Heartbeat {
    private let interval = ServiceSupervision.watchdogInterval
    private let log: WatchLog
    private var next: UInt64 = 0

    init(_ log: WatchLog) {
        self.log = log
    }

    func beat() {
        guard let interval else { return }
        let now = SystemClock().bootTime()
        guard now >= next else { return }
        next = now + interval / 3
        notify("WATCHDOG=1")
    }

    /// What is left is captured and sealed now.
    func stop() {
        notify("STOPPING=1")
    }

    private func notify(_ state: String) {
        do {
            try ServiceSupervision.notify(state)
        } catch {
            log.warn("the service manager does not listen: \(error)")
        }
    }
}
