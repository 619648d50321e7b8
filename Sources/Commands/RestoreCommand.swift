import Backup
import Codec
import Glibc
import Platform
import Repository

extension RestoreCommand {
    /// Brings a snapshot, or a part of one, back.
    static func run(_ parsed: ParsedCommand, _ context: CommandContext) throws -> ExitCode {
        let signals = try Signals()
        defer { withExtendedLifetime(signals) {} }
        let asked = try self.request(parsed, context)
        if let moment = try MomentRequest(parsed, context) {
            return try run(moment, asked, parsed, context)
        }
        let latest = try LatestChoice(parsed)
        return try Session.run(context, purpose: "restore", writes: false) { session in
            var request = asked
            request.spared = try context.settings.ownDirectories()
            request.scratch = session.cache
            let choice = try latest.choose(
                parsed.arguments.first ?? Array("latest".utf8), in: session, context)
            let node = try SnapshotBrowser(session.repository).node(
                at: choice.path, in: choice.snapshot)
            let total =
                choice.path.components.isEmpty ? choice.snapshot.snapshot.totals.bytes : nil
            let source = RestoreSource(node, of: choice.snapshot.snapshot)
            return try restore(source, request, total: total, session, context) {
                RestoreSummary($0, choice.snapshot, request, seconds: $1).tell(context)
            }
        }
    }

    /// Brings databases, and trees, back as they were at a moment or a position.
    private static func run(
        _ moment: MomentRequest, _ asked: RestoreRequest, _ parsed: ParsedCommand,
        _ context: CommandContext
    ) throws -> ExitCode {
        let selection = try SnapshotSelection(
            parsed, host: LatestFilter.host, path: LatestFilter.path, tag: LatestFilter.tag)
        return try Session.run(context, purpose: "restore", writes: false) { session in
            var request = asked
            request.spared = try context.settings.ownDirectories()
            request.scratch = session.cache
            let found = try RestoreMoment(moment, asked.selection, selection, session, context)
            let plan = try found.plan()
            let source = try found.source(plan)
            return try restore(source, request, total: nil, session, context) { counts, seconds in
                var summary = RestoreSummary(counts, plan.snapshot, request, seconds: seconds)
                if !counts.isFailure {
                    found.tell(plan)
                    summary.databases = plan.findings.map { found.json($0, plan, as: nil) }
                }
                summary.tell(context)
            }
        }
    }

    private static func restore(
        _ source: RestoreSource, _ request: RestoreRequest, total: UInt64?, _ session: Session,
        _ context: CommandContext, tell: (RestoreCounts, Double) -> Void
    ) throws -> ExitCode {
        let report = RestoreNarrator(context, dryRun: request.dryRun).report
        let start = context.clock.bootTime()
        do {
            try restore(source, request, total: total, session, report, context)
        } catch is Interrupted {
            throw CommandError(
                .interrupted, "interrupted; what was restored so far stays",
                hint: "run it again; --overwrite if-changed keeps what is there already")
        } catch let error as SystemError where error.isLackOfRoom {
            throw CommandError(
                .failed,
                "the target has no room left: \(error); what was restored so far stays",
                hint: "make room and run it again with --overwrite if-changed, which keeps "
                    + "what is there already, or name another --target")
        }
        guard !request.selection.hasIncludes || !report.counts.isNothing else {
            throw nothingMatched
        }
        tellOwners(report.counts.ownersDenied, context)
        tell(report.counts, Double(context.clock.bootTime() - start) / 1e9)
        guard !report.counts.isFailure else { return .failed }
        // A snapshot that cannot be read may be the one that was meant.
        return report.counts.problems == 0 && context.report.warnings == 0 ? .done : .incomplete
    }

    private static var nothingMatched: CommandError {
        CommandError(
            .failed, "nothing was restored: no --include pattern matches anything that is there",
            hint: "patterns count from the top of what is restored, SNAPSHOT:/PATH where one is "
                + "named; see its names with 'holdfast ls'")
    }

    /// What the narrator did not say of each entry.
    private static func tellOwners(_ denied: UInt64, _ context: CommandContext) {
        guard denied > RestoreReport.mostOwnersNamed else { return }
        let more = Counted.of(denied - RestoreReport.mostOwnersNamed, "more entry", "more entries")
        context.report.warning(
            "the owner of \(more) could not be set either: only root can give files away",
            during: "restore")
    }

    private static func request(
        _ parsed: ParsedCommand, _ context: CommandContext
    ) throws -> RestoreRequest {
        guard let target = try parsed.path(self.target) else {
            throw CommandError.usage(
                "restore needs a target directory",
                hint: "say --target DIR; --target / puts everything where it was")
        }
        let selection: PathSelection
        do {
            selection = PathSelection(
                excludes: try parsed.values(of: exclude).map { try PathPattern($0) },
                includes: try parsed.values(of: include).map { try PathPattern($0) })
        } catch {
            throw CommandError.usage("\(error)")
        }
        var request = RestoreRequest(target: try target.absolute(), selection: selection)
        request.overwrite =
            try parsed.choice(overwrite, as: RestoreRequest.Overwrite.self) ?? .always
        request.deletes = parsed.has(delete)
        request.verifies = parsed.has(verify)
        request.dryRun = parsed.has(dryRun)
        if let host = context.settings.host { request.host = host }
        request.patience = context.settings.retryLock?.nanoseconds ?? 0
        if parsed.has(numericIDs) { request.owners = .numbered }
        return request
    }

    private static func restore(
        _ source: RestoreSource, _ request: RestoreRequest, total: UInt64?, _ session: Session,
        _ report: RestoreReport, _ context: CommandContext
    ) throws {
        let restorer = Restorer(from: session.repository, request, report: report) {
            context.progress.update {
                let counts = report.counts
                return Progress(
                    .restore, items: counts.files, bytes: counts.bytes, totalBytes: total,
                    errors: counts.problems)
            }
            return Interruption.isRequested
        }
        try restorer.run(source)
    }
}

/// Turns what happens during a restore into lines.
private struct RestoreNarrator {
    let report: RestoreReport

    init(_ context: CommandContext, dryRun: Bool) {
        let report = context.report
        self.report = RestoreReport { notice in
            switch notice {
            case .problem(let path, let during, let reason):
                report.warning("\(during): \(reason)", during: "restore", item: path.bytes)
            case .absent(let path, let reason):
                report.warning(
                    "not in the snapshot, since it could not be read then: "
                        + PathText.firstLine(of: reason),
                    during: "restore", item: path.bytes)
            case .remark(let path, let text):
                report.note("\(path): \(text)")
            case .epoch(let epoch, let former, let path):
                let before =
                    former.map { "what was there before is \($0)" }
                    ?? "what was recorded before stays readable"
                report.note("\(path): its history goes on in epoch \(epoch); \(before)")
                report.answer(RestoreNarrator.epoch(epoch, former, of: path))
            case .item(let action, let path, let bytes):
                let text = "\(dryRun ? "would be " : "")\(action.rawValue) \(path)"
                if dryRun { return report.answer(text) }
                report.detail(
                    text, level: action == .unchanged ? 2 : 1,
                    json: RestoreNarrator.status(action, path, bytes))
            }
        }
    }

    private static func epoch(
        _ epoch: UInt64, _ former: Position?, of path: FilePath
    ) -> JSONLine {
        var line = JSONLine("restored_epoch")
        line.add("path", path: path.bytes)
        line.add("epoch", epoch)
        if let former { line.add("before", "\(former)") }
        return line
    }

    private static func status(
        _ action: RestoreNotice.Action, _ path: FilePath, _ bytes: UInt64
    ) -> JSONLine {
        var line = JSONLine("verbose_status")
        line.add("action", action.rawValue)
        line.add("item", path: path.bytes)
        line.add("size", bytes)
        return line
    }
}

/// What a restore did.
private struct RestoreSummary {
    private let counts: RestoreCounts
    private let snapshot: StoredSnapshot?
    private let request: RestoreRequest
    private let seconds: Double
    /// What was given of each database, where a moment or a position was asked for.
    var databases: [JSONLine] = []

    init(
        _ counts: RestoreCounts, _ snapshot: StoredSnapshot?, _ request: RestoreRequest,
        seconds: Double
    ) {
        self.counts = counts
        self.snapshot = snapshot
        self.request = request
        self.seconds = seconds
    }

    func tell(_ context: CommandContext) {
        for line in lines(context.zone) { context.report.note(line) }
        context.report.answer(json)
    }

    private func lines(_ zone: LocalZone) -> [String] {
        let what =
            snapshot.map {
                "snapshot \($0.shortID) of \(TimeText.shown($0.snapshot.time, in: zone))"
            } ?? "databases"
        guard !request.dryRun else { return ["dry run: nothing was written; \(what)"] }
        guard !counts.isFailure else {
            let problems = counts.problems + counts.absent
            return ["nothing was restored: \(Counted.of(problems, "problem")), see above"]
        }
        var lines = [
            "restored \(what) to \(request.target)",
            "\(Counted.of(counts.files, "file")), "
                + "\(Counted.of(counts.directories, "directory", "directories")), "
                + "\(Counted.of(counts.databases, "database")), "
                + "\(ByteCountText.shown(counts.bytes)) in "
                + DurationText.clock(seconds: UInt64(seconds)),
        ]
        if counts.skipped > 0 {
            lines.append(
                "kept, since there already: " + Counted.of(counts.skipped, "entry", "entries"))
        }
        if counts.deleted > 0 {
            lines.append(
                "deleted, since not in the snapshot: "
                    + Counted.of(counts.deleted, "entry", "entries"))
        }
        if request.verifies {
            lines.append("read again and compared: \(ByteCountText.shown(counts.verifiedBytes))")
        }
        if counts.isNothing { lines.append("nothing in the snapshot was asked for") }
        if counts.absent > 0 {
            lines.append(
                "not in the snapshot, see above: "
                    + Counted.of(counts.absent, "entry", "entries"))
        }
        if counts.problems > 0 {
            lines.append("\(Counted.of(counts.problems, "problem")), see above")
        }
        return lines
    }

    private var json: JSONLine {
        var line = JSONLine("summary")
        if let snapshot { line.add("snapshot_id", snapshot.id.hex) }
        if !databases.isEmpty { line.add("databases", objects: databases) }
        if request.dryRun { line.add("dry_run", true) }
        line.add("files_restored", counts.files)
        line.add("dirs_restored", counts.directories)
        line.add("databases_restored", counts.databases)
        line.add("files_skipped", counts.skipped)
        line.add("files_deleted", counts.deleted)
        line.add("bytes_restored", counts.bytes)
        line.add("bytes_verified", counts.verifiedBytes)
        line.add("not_in_snapshot", counts.absent)
        line.add("error_count", counts.problems)
        line.add("total_duration", seconds)
        return line
    }
}
