import Codec
import Glibc
import Platform
import Repository
import Synchronization
import Timeline

extension WatchCommand {
    /// Records commits until a signal ends it.
    static func run(_ parsed: ParsedCommand, _ context: CommandContext) throws -> ExitCode {
        let signals = try Signals([SIGINT, SIGTERM, SIGHUP])
        defer { withExtendedLifetime(signals) {} }
        let paths = try databases(parsed)
        let log = WatchLog(context)
        return try Session.run(context, purpose: "watch", writes: true) { session in
            let settings = try settings(parsed, context, session)
            try WatchFolder.make(settings.directory)
            let lease = try session.writingLease()
            let access = WatchRepository(session.repository, lease: lease)
            let wake = try Wake()
            let listener = try BarrierListener(of: lease.id, wake: wake)
            let listening = WorkerThread(name: "barrier") { listener.serve() }
            defer {
                listener.end()
                listening.join()
            }
            let watcher = try DatabaseWatcher(
                paths, into: access, settings: settings, wake: wake, report: log.tell)
            try ServiceSupervision.notify("READY=1")
            let heartbeat = Heartbeat()
            try watcher.run {
                heartbeat.beat(log)
                return Interruption.isRequested
            }
            try ServiceSupervision.notify("STOPPING=1")
            return log.hasGaps ? .incomplete : .done
        }
    }

    private static func databases(_ parsed: ParsedCommand) throws -> [FilePath] {
        guard !parsed.arguments.isEmpty else {
            throw CommandError.usage("watch needs a database", hint: "say holdfast watch DB…")
        }
        var seen: [FilePath: FileStatus] = [:]
        for argument in parsed.arguments {
            let path = try FilePath(bytes: argument).absolute()
            let status: FileStatus
            do {
                status = try FileStatus.of(path, followingLinks: false)
            } catch {
                throw CommandError(
                    .failed, "cannot watch \(path): \(error.errno)", hint: "check the path")
            }
            guard status.kind == .regular else {
                throw CommandError(
                    .failed, "cannot watch \(path): it is no regular file",
                    hint: status.kind == .symbolicLink
                        ? "name the database itself: SQLite keeps its log beside that"
                        : "name a SQLite database")
            }
            if let twin = seen.first(where: {
                $0.value.inode == status.inode && $0.value.device == status.device
            }) {
                throw CommandError(
                    .usage, "\(path) is the same file as \(twin.key)", hint: "name it once")
            }
            seen[path] = status
        }
        return seen.keys.sorted()
    }

    private static func settings(
        _ parsed: ParsedCommand, _ context: CommandContext, _ session: Session
    ) throws -> WatchSettings {
        let data = try parsed.path(self.data) ?? StateLocation.standard()
        var settings = WatchSettings(
            host: try parsed.text(host) ?? context.settings.host ?? ProcessIdentity.hostName(),
            directory: try data.absolute().appending("journals")
                .appending(session.repository.identity))
        settings.compression =
            try parsed.choice(compression, as: CompressionLevel.self)
            ?? context.settings.compression ?? .fast
        if let seal = try parsed.duration(self.seal) {
            let (seconds, attoseconds) = seal.components
            settings.sealInterval =
                UInt64(clamping: seconds) * 1_000_000_000 + UInt64(attoseconds / 1_000_000_000)
        }
        if try parsed.choice(checkpointLock, as: CheckpointLock.self) == .never {
            settings.logLimit = nil
        }
        return settings
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

/// Tells the service manager that the capture thread lives.
private final class Heartbeat {
    private let interval = ServiceSupervision.watchdogInterval
    private var next: UInt64 = 0

    func beat(_ log: WatchLog) {
        guard let interval else { return }
        let now = SystemClock().bootTime()
        guard now >= next else { return }
        next = now + interval / 3
        do {
            try ServiceSupervision.notify("WATCHDOG=1")
        } catch {
            log.say("the service manager does not listen: \(error)")
        }
    }
}

/// Writes what happens, a line each, at once.
private final class WatchLog: Sendable {
    private let context: CommandContext
    private let gaps = Atomic(false)

    init(_ context: CommandContext) {
        self.context = context
    }

    /// Whether commits were missed that were made while this watch ran.
    var hasGaps: Bool { gaps.load(ordering: .relaxed) }

    func say(_ text: String) {
        let time = TimeText.shown(context.clock.now(), in: context.zone)
        context.report.log("\(time) \(text)", json: JSONLine.event(text))
    }

    @Sendable func tell(_ notice: WatchNotice) {
        switch notice {
        case .began(let path, let position, let beginning):
            say("\(path): recording from \(position) on; \(words(beginning))")
        case .waiting(let path, let reason):
            context.report.warning("\(reason); tried again", during: "watch", item: path.bytes)
        case .ended(let path):
            say("\(path): the file is gone; its history stays")
        case .sealed(let path, let position, let records, let bytes):
            guard context.report.voice.verbosity > 0 else { return }
            context.report.log(
                "\(path): \(records) commits up to \(position) are in the repository "
                    + "(\(ByteCountText.shown(bytes)))",
                json: JSONLine.sealed(path, "\(position)", records, bytes))
        case .repositoryAway(let reason):
            context.report.warning(
                "the repository cannot be written: \(reason); commits wait in the journal",
                during: "watch")
        case .repositoryBack:
            say("the repository is back; what waited is in it")
        case .journalFull(let path, let bytes):
            gaps.store(true, ordering: .relaxed)
            context.report.warning(
                "the journal is full (\(ByteCountText.shown(bytes))): commits are not recorded one "
                    + "by one until the repository is back",
                during: "watch", item: path.bytes)
        case .selfCheckFailed(let path, let position, let reason):
            context.report.warning(
                "ALARM: \(position) does not restore: \(reason)", during: "watch",
                item: path.bytes)
        }
    }

    private func words(_ beginning: WatchNotice.Beginning) -> String {
        switch beginning {
        case .base: "a complete base"
        case .continued: "nothing was missed"
        case .compared(let pages): "\(pages) pages changed while nobody watched"
        case .wentBack: "the database went back: a new epoch"
        }
    }
}

extension JSONLine {
    fileprivate static func event(_ text: String) -> JSONLine {
        var line = JSONLine("status")
        line.add("message", text)
        return line
    }

    fileprivate static func sealed(
        _ path: FilePath, _ position: String, _ records: Int, _ bytes: UInt64
    ) -> JSONLine {
        var line = JSONLine("verbose_status")
        line.add("action", "sealed")
        line.add("item", path: path.bytes)
        line.add("position", position)
        line.add("records", UInt64(records))
        line.add("data_size", bytes)
        return line
    }
}
