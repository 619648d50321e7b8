import Backup
import Codec
import Glibc
import Platform
import Repository
import Timeline

extension BackupCommand {
    /// Makes a snapshot.
    static func run(_ parsed: ParsedCommand, _ context: CommandContext) throws -> ExitCode {
        let signals = try Signals()
        defer { withExtendedLifetime(signals) {} }
        let request = try BackupSources(parsed, context).request()
        let scout = request.scout()
        defer { scout?.stop() }
        return try Session.run(context, purpose: "backup", writes: true) { session in
            let report = BackupNarrator(context).report
            let progress = BackupProgress(context, report)
            let archiver = Archiver(
                into: session.repository, under: try session.writingLease(), report: report,
                isInterrupted: {
                    progress.update()
                    return Interruption.isRequested
                })
            let start = context.clock.bootTime()
            var completed = try request.completed(for: session, context)
            completed.scout = scout
            let outcome = try archiver.run(completed)
            let seconds = Double(context.clock.bootTime() - start) / 1e9
            progress.finish()
            BackupSummary(
                outcome, missing: request.missing, dryRun: request.dryRun, seconds: seconds
            ).tell(context)
            return outcome.counts.problems == 0 && request.missing == 0 ? .done : .incomplete
        }
    }
}

/// Shows how far a backup has come.
private struct BackupProgress: Sendable {
    private let context: CommandContext
    private let report: ArchiveReport

    init(_ context: CommandContext, _ report: ArchiveReport) {
        self.context = context
        self.report = report
    }

    func update() {
        context.progress.update { now }
    }

    func finish() {
        var last = now
        (last.totalItems, last.totalBytes) = (last.items, last.bytes)
        context.progress.finish(last)
    }

    private var now: Progress {
        let counts = report.counts
        // Past what the last snapshot held, nobody knows how much more there is.
        let expected = counts.expected.flatMap { expected in
            counts.files <= expected.files && counts.bytes <= expected.bytes ? expected : nil
        }
        return Progress(
            .backup, items: counts.files, totalItems: expected?.files, bytes: counts.bytes,
            totalBytes: expected?.bytes, errors: counts.problems,
            current: counts.current.bytes.isEmpty ? [] : [counts.current.bytes])
    }
}

/// Turns what happens during a backup into lines.
private struct BackupNarrator {
    let report: ArchiveReport

    init(_ context: CommandContext) {
        let report = context.report
        self.report = ArchiveReport { notice in
            switch notice {
            case .problem(let path, let during, let reason):
                report.warning("\(during): \(reason)", during: "archival", item: path.bytes)
            case .remark(let path, let text):
                report.note("\(path): \(text)")
            case .item(let action, let path, _, let bytes):
                report.detail(
                    "\(action.rawValue) \(path)", level: action == .unchanged ? 2 : 1,
                    json: BackupNarrator.status(action, path, bytes))
            case .database(let path, let captured):
                report.note(BackupNarrator.line(path, captured))
            }
        }
    }

    private static func status(
        _ action: ArchiveNotice.Action, _ path: FilePath, _ bytes: UInt64
    ) -> JSONLine {
        var line = JSONLine("verbose_status")
        line.add("action", action.rawValue)
        line.add("item", path: path.bytes)
        line.add("data_size", bytes)
        return line
    }

    private static func line(_ path: FilePath, _ captured: CapturedDatabase) -> String {
        let position = captured.database.reference.position
        let what =
            if captured.isWatched {
                "as the watch that records it has it, at \(position)"
            } else if captured.changedPages == 0 {
                "unchanged since \(position)"
            } else if captured.isBase {
                "a base of \(Counted.of(UInt64(captured.changedPages), "page")) at \(position)"
            } else {
                "\(captured.changedPages) of \(captured.database.pageCount) pages changed, "
                    + "at \(position)"
            }
        guard captured.longestHold > 0 else { return "database \(path): \(what)" }
        let milliseconds = Double(captured.longestHold / 100_000) / 10
        return "database \(path): \(what); writers were held up for \(milliseconds) ms"
    }
}
