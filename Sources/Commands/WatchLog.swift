import Platform
import Synchronization
import Timeline

/// Writes what happens, a line each, at once.
final class WatchLog: Sendable {
    private let context: CommandContext
    private let problems = Atomic(false)
    private let begun = Mutex<Set<FilePath>>([])

    init(_ context: CommandContext) {
        self.context = context
    }

    /// Whether commits were missed that were made while this watch ran, or recorded ones were lost.
    var hasProblems: Bool { problems.load(ordering: .relaxed) }

    func say(_ text: String) {
        let time = TimeText.shown(context.clock.now(), in: context.zone)
        context.report.log("\(time) \(text)", json: JSONLine.event(text))
    }

    func detail(_ text: String) {
        if context.report.voice.verbosity > 0 { say(text) }
    }

    /// Something failed that is tried again.
    func warn(_ text: String) {
        context.report.warning(text, during: "watch")
    }

    /// Something was lost or cannot be recorded: who runs this hears of it at the end as well.
    private func problem(_ path: FilePath, _ text: String) {
        problems.store(true, ordering: .relaxed)
        context.report.warning(text, during: "watch", item: path.bytes)
    }

    @Sendable func tell(_ notice: WatchNotice) {
        switch notice {
        case .began(let path, let position, let beginning):
            let isAgain = begun.withLock { !$0.insert(path).inserted }
            if isAgain, beginning.missedCommits {
                problem(
                    path,
                    "commits were made that are not recorded one by one")
            }
            say("\(path): recording from \(position) on; \(words(beginning))")
        case .recorded(let path, let position, let pages):
            detail("\(path): \(position), \(Counted.of(UInt64(pages), "page")) changed")
        case .waiting(let path, let reason):
            context.report.warning("\(reason); tried again", during: "watch", item: path.bytes)
        case .logBroken(let path):
            problem(path, WatchLog.brokenLog)
        case .ended(let path):
            say("\(path): the file is gone; its history stays")
        case .historyHurt(let path, let position):
            problem(
                path,
                "ALARM: \(position) does not restore any more: segments that it needs are missing "
                    + "or hurt, as 'holdfast verify' tells; a complete base is recorded now")
        case .journalHurt(let path, let loss):
            let kept = loss.kept.map { "\($0)" }.joined(separator: ", ")
            problem(
                path,
                "ALARM: \(loss.reason); commits behind it are not in the repository, and lie in "
                    + "\(kept); recording goes on with a comparison")
        case .putBack(let path, let position, let start):
            say("\(path): the state of \(start) was put back: a new epoch from \(position) on")
        case .sealed(let path, let position, let records, let bytes):
            guard context.report.voice.verbosity > 0 else { return }
            context.report.log(
                "\(path): the repository has \(Counted.of(UInt64(records), "more commit")), up to "
                    + "\(position) "
                    + "(\(ByteCountText.shown(bytes)))",
                json: JSONLine.sealed(path, "\(position)", records, bytes))
        case .repositoryAway(let reason):
            context.report.warning(
                "the repository cannot be written: \(reason); commits wait in the journal",
                during: "watch")
        case .repositoryBack:
            say("the repository is back; what waited is in it")
        case .leftInJournal(let path, let records):
            context.report.warning(
                "\(Counted.of(UInt64(records), "commit")) of it wait in the journal; the next "
                    + "'holdfast watch' moves them into the repository",
                during: "watch", item: path.bytes)
        case .leftUnrecorded(let path, let reason):
            problem(
                path,
                "what it holds now is not recorded" + (reason.isEmpty ? "" : ": \(reason)"))
        case .journalFull(let path, let bytes):
            problem(
                path,
                "the journal is full (\(ByteCountText.shown(bytes))): commits are not recorded one "
                    + "by one until the repository is back")
        case .selfChecked(let path, let position):
            detail("\(path): \(position) was restored from the repository, and is what it was")
        case .selfCheckFailed(let path, let position, let reason):
            problem(
                path,
                "ALARM: \(position) does not restore: \(reason)")
        }
    }

    private static let brokenLog =
        "ALARM: SQLite left its WAL with checksums that break, and would drop commits that are in "
        + "it after a crash, and may damage the database. They are recorded, as one step. A "
        + "transaction that was larger than its cache and used ROLLBACK TO does that, in SQLite "
        + "3.40.1 for one: make 'PRAGMA cache_size' larger, or use a SQLite that does not"

    private func words(_ beginning: WatchNotice.Beginning) -> String {
        switch beginning {
        case .base: "a complete base"
        case .continued: "nothing was missed"
        case .changed(let pages): "\(Counted.of(UInt64(pages), "page")) changed"
        case .compared(let pages):
            "\(Counted.of(UInt64(pages), "page")) changed while nobody watched"
        case .comparedToBase: "it changed while nobody watched; a complete base"
        case .wentBack: "the database went back, or was put back: a new epoch"
        }
    }
}

extension WatchNotice.Beginning {
    /// Whether commits of a database in WAL mode became one step.
    fileprivate var missedCommits: Bool {
        switch self {
        case .compared, .comparedToBase: true
        case .base, .continued, .changed, .wentBack: false
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
