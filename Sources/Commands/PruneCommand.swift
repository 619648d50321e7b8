import Backup
import Platform
import Repository
import Timeline

extension PruneCommand {
    /// Frees what nothing needs.
    static func run(_ parsed: ParsedCommand, _ context: CommandContext) throws -> ExitCode {
        let signals = try Signals()
        defer { withExtendedLifetime(signals) {} }
        let request = try PruneRequest(parsed, context)
        let isDry = parsed.has(dryRun)
        return try Session.run(context, purpose: "prune", writes: !isDry) { session in
            try PruneRun(request, session, context).run(dryRun: isDry)
            return context.report.warnings == 0 ? .done : .failed
        }
    }
}

/// What a prune is told.
struct PruneRequest {
    let limit: UnusedLimit
    let window: HistoryWindow
    let trustsTimes: Bool

    init(_ parsed: ParsedCommand, _ context: CommandContext) throws {
        let unused = PruneCommand.maxUnused
        limit = try RetentionText.unused(
            parsed.text(unused) ?? "5%", of: "option \(unused.spelling)")
        window = try PruneRequest.window(
            parsed.values(of: PruneCommand.keepHistory),
            host: parsed.text(PruneCommand.historyHost) ?? context.settings.host
                ?? ProcessIdentity.hostName())
        trustsTimes = parsed.has(PruneCommand.trustTimes)
    }

    /// Of `AGE` and `AGE:PATH`.
    private static func window(_ values: [[UInt8]], host: String) throws -> HistoryWindow {
        let subject = "option \(PruneCommand.keepHistory.spelling)"
        var standard: Int64?
        var rules: [(path: FilePath, nanoseconds: Int64)] = []
        for value in values {
            let parts = value.split(
                separator: UInt8(ascii: ":"), maxSplits: 1, omittingEmptySubsequences: false)
            let age = try RetentionText.window(
                String(decoding: parts[0], as: UTF8.self), of: subject)
            if parts.count > 1 {
                rules.append((try FilePath(bytes: Array(parts[1])).absolute(), age))
            } else if standard != nil {
                throw CommandError.usage(
                    "\(subject) is given twice without a path",
                    hint: "say AGE once, and AGE:PATH for what differs")
            } else {
                standard = age
            }
        }
        return HistoryWindow(
            try standard ?? RetentionText.window("7d", of: subject), rules: rules, host: host)
    }
}

/// A prune, and what is said of it.
struct PruneRun {
    private let request: PruneRequest
    private let session: Session
    private let context: CommandContext

    init(_ request: PruneRequest, _ session: Session, _ context: CommandContext) {
        self.request = request
        self.session = session
        self.context = context
    }

    /// - Parameter forgotten: snapshots to do as if they were gone.
    func run(dryRun: Bool, forgotten: Set<ObjectName> = []) throws {
        if let (pack, reason) = session.damagedPacks.first {
            throw RepositoryError(
                .damaged, "\(pack) is hurt: \(reason); nothing was pruned",
                hint: "Run 'holdfast verify' to see what else is.")
        }
        let survey = RetentionSurvey(
            session.repository, window: request.window, trustsTimes: request.trustsTimes,
            forgotten: forgotten, checkpoint: checkpoint)
        let lease = dryRun ? session.lease : try session.writingLease()
        let pruner = Pruner(
            session.repository, under: lease, survey: survey.run,
            compact: { try lease.map { try compact(survey, $0) } ?? false },
            checkpoint: checkpoint)
        if dryRun {
            let report = try pruner.plan(request.limit)
            try survey.planCompaction()
            announce(report, survey, dryRun: true)
            context.report.answer(summary(report, survey.compaction, dryRun: true))
        } else {
            let report = try pruner.run(request.limit) { announce($0, survey, dryRun: false) }
            tell(report)
            context.report.answer(summary(report, survey.compaction, dryRun: false))
        }
    }

    private func checkpoint() throws {
        if Interruption.isRequested { throw Interrupted() }
    }

    private func compact(_ survey: RetentionSurvey, _ lease: HeldLease) throws -> Bool {
        let hasChanged = try survey.compact(under: lease)
        for (path, reason) in survey.compaction?.failures ?? [] {
            context.report.warning(
                "the history of \(PathText.shown(path.bytes)) stays as it is, what is to be merged"
                    + " cannot be proved: \(reason)", during: "prune")
        }
        return hasChanged
    }

    // MARK: What it says

    private func announce(_ compaction: CompactionReport, dryRun: Bool) {
        guard compaction.read > 0 else { return }
        let (count, read) = (compaction.forgotten, ByteCountText.shown(compaction.readBytes))
        context.report.plan(
            dryRun
                ? "states between those that are kept: \(count) would be merged away, which frees"
                    + " \(ByteCountText.shown(compaction.gain)) of \(read) at most"
                : "states between those that are kept: \(count) merged away, \(read) written anew"
                    + " as \(ByteCountText.shown(compaction.writtenBytes))",
            isAsked: dryRun)
    }

    private func announce(_ plan: PruneReport, _ survey: RetentionSurvey, dryRun: Bool) {
        func say(_ line: String) { context.report.plan(line, isAsked: dryRun) }
        if let compaction = survey.compaction { announce(compaction, dryRun: dryRun) }
        for stream in survey.outlooks where stream.unneededSegments > 0 {
            say(
                "history of \(FilePath(bytes: stream.identity.path)): every state since "
                    + "\(TimeText.shown(stream.windowStart, in: context.zone)) stays; "
                    + "\(stream.unneededSegments) of "
                    + "\(Counted.of(UInt64(stream.segments), "segment")) go, "
                    + "\(stream.neededRecords) of "
                    + "\(Counted.of(UInt64(stream.records), "record")) are needed")
        }
        say("stored: \(shown(plan.stored))")
        if plan.marked.files > 0 { say("marked before: \(shown(plan.marked))") }
        say("needed by nothing: \(shown(plan.dropped))")
        say(
            "mostly unneeded: \(shown(plan.emptied)), of which "
                + "\(ByteCountText.shown(plan.copied)) are copied first")
        say("unneeded, and stays: \(ByteCountText.shown(plan.unusedKept))")
        if plan.fresh.files > 0 {
            say(
                "stays until a later run: \(shown(plan.fresh)), stored while this was at work: "
                    + plan.writers.joined(separator: "; "))
        }
        say("frees in all: \(ByteCountText.shown(plan.frees))")
        if plan.missing > 0 {
            context.report.warning(
                "needed and in no pack: \(Counted.of(UInt64(plan.missing), "blob")); "
                    + "see 'holdfast verify'",
                during: "prune")
        }
    }

    private func tell(_ report: PruneReport) {
        context.report.note("deleted: \(shown(report.deleted))")
        if report.waiting.files > 0 {
            let holders = report.holders.joined(separator: "; ")
            context.report.note(
                "marked, and deleted by a later run: \(shown(report.waiting))"
                    + (holders.isEmpty ? "" : "; in use by \(holders)"))
        }
        for (pack, reason) in report.hurt {
            context.report.warning(
                "packs/\(pack) stays, what is needed of it cannot be read: \(reason)",
                during: "prune")
        }
    }

    private func shown(_ amount: PruneReport.Amount) -> String {
        "\(Counted.of(UInt64(amount.files), "file")), \(ByteCountText.shown(amount.bytes))"
    }

    private func summary(
        _ report: PruneReport, _ compaction: CompactionReport?, dryRun: Bool
    ) -> JSONLine {
        var line = JSONLine("prune_summary")
        line.add("dry_run", dryRun)
        line.add("stored_bytes", report.stored.bytes)
        line.add("merged_states", UInt64(compaction?.forgotten ?? 0))
        line.add("merged_from_bytes", compaction?.readBytes ?? 0)
        line.add("merged_to_bytes", compaction?.writtenBytes ?? 0)
        line.add("unneeded_bytes", report.dropped.bytes)
        line.add("emptied_bytes", report.emptied.bytes)
        line.add("copied_bytes", report.copied)
        line.add("marked_before_bytes", report.marked.bytes)
        line.add("unneeded_kept_bytes", report.unusedKept)
        line.add("frees_bytes", report.frees)
        line.add("deleted_files", report.deleted.files)
        line.add("deleted_bytes", report.deleted.bytes)
        line.add("waiting_files", report.waiting.files)
        line.add("waiting_bytes", report.waiting.bytes)
        line.add("fresh_files", report.fresh.files)
        line.add("fresh_bytes", report.fresh.bytes)
        line.add("waiting_for", texts: report.holders)
        line.add("at_work", texts: report.writers)
        line.add("missing_blobs", report.missing)
        return line
    }
}
