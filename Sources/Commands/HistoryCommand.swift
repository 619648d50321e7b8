import Backup
import Codec
import Platform
import Repository
import Timeline

extension HistoryCommand {
    /// Lists what databases can be brought back to.
    static func run(_ parsed: ParsedCommand, _ context: CommandContext) throws -> ExitCode {
        let request = try HistoryRequest(parsed, context)
        return try Session.run(context, purpose: "history", writes: false) { session in
            let index = try StreamIndex(of: session.repository)
            index.tellDamage(context, isOnlySaid: false, of: request.selects)
            var streams = request.streams(of: index)
            try requireAll(request.databases, among: streams)
            if !request.databases.isEmpty,
                try !WatchRound(asking: streams, in: session.repository, context).covered.isEmpty
            {
                streams = request.streams(of: try StreamIndex(of: session.repository))
            }
            let listing = HistoryListing(request, context)
            if request.databases.isEmpty, !request.listsEpochs, request.branch == nil {
                try listing.overview(streams)
            } else {
                for stream in streams { try listing.show(stream) }
            }
            return context.report.warnings == 0 ? .done : .incomplete
        }
    }

    private static func requireAll(
        _ paths: [[UInt8]], among streams: [Timeline.Stream]
    ) throws {
        for path in paths where !streams.contains(where: { $0.identity.path == path }) {
            throw CommandError(
                .failed, "no history is recorded of \(PathText.shown(path))",
                hint: "see what is recorded with 'holdfast history'")
        }
    }
}

/// What is known of a history as a whole.
private struct HistoryTotals {
    var commits: UInt64 = 0
    var bases: UInt64 = 0
    var gaps: UInt64 = 0
    var forgotten: UInt64 = 0
    var bytes: UInt64 = 0
    var from: Timestamp?
    var to: Timestamp?

    init(_ history: History) {
        for run in history.runs {
            commits += UInt64(run.summary.commits)
            bases += UInt64(run.summary.bases)
            gaps += UInt64(run.summary.gaps)
            forgotten += UInt64(run.summary.forgotten)
            bytes += run.summary.storedBytes
            from = min(from ?? run.summary.earliest, run.summary.earliest)
            to = max(to ?? run.summary.latest, run.summary.latest)
        }
    }
}

/// Prints histories.
private struct HistoryListing {
    let request: HistoryRequest
    let context: CommandContext
    let text: RestorePointText
    private var report: Report { context.report }

    init(_ request: HistoryRequest, _ context: CommandContext) {
        self.request = request
        self.context = context
        text = RestorePointText(zone: context.zone)
    }

    // MARK: All databases

    /// One line a database; under `--json` also its records, where a bound was named.
    func overview(_ streams: [Timeline.Stream]) throws {
        var table = Table(
            Table.Column("Database"), Table.Column("Host"), Table.Column("From"),
            Table.Column("To"), Table.Column("Commits", .right), Table.Column("Gaps", .right),
            Table.Column("Epochs", .right), Table.Column("Stored", .right))
        for stream in streams {
            let history = try History(of: stream)
            let totals = HistoryTotals(history)
            report.answer(json(history, totals))
            table.add(
                PathText.shown(stream.identity.path),
                PathText.shown(Array(stream.identity.host.utf8)),
                totals.from.map { TimeText.shown($0, in: context.zone) } ?? "",
                totals.to.map { TimeText.shown($0, in: context.zone) } ?? "",
                "\(totals.commits + totals.bases)", "\(totals.gaps)",
                "\(history.branches.count)", ByteCountText.shown(totals.bytes))
        }
        for line in table.isEmpty ? [] : table.lines { report.answer(line) }
        report.answer(Counted.of(UInt64(streams.count), "database"))
    }

    private func json(_ history: History, _ totals: HistoryTotals) -> JSONLine {
        var line = JSONLine("stream")
        line.add("path", path: history.stream.identity.path)
        line.add("hostname", history.stream.identity.host)
        line.add("stream", history.stream.identity.stream.hex)
        if let from = totals.from { line.add("from", TimeText.rfc3339(from, in: context.zone)) }
        if let to = totals.to { line.add("to", TimeText.rfc3339(to, in: context.zone)) }
        if let end = history.stream.end { line.add("position", "\(end.position)") }
        line.add("commits", totals.commits)
        line.add("bases", totals.bases)
        line.add("gaps", totals.gaps)
        line.add("forgotten", totals.forgotten)
        line.add("epochs", UInt64(Set(history.branches.map(\.epoch)).count))
        line.add("stored_bytes", totals.bytes)
        line.add("segments", UInt64(Set(history.runs.map(\.number)).count))
        return line
    }

    // MARK: One database

    func show(_ stream: Timeline.Stream) throws {
        var history = try History(of: stream)
        if let name = request.branch {
            guard let branch = history.branches.first(where: { $0.name == name }) else {
                throw CommandError(
                    .failed,
                    "there is no branch '\(PathText.shown(Array(name.utf8)))'"
                        + " of \(stream.path)",
                    hint: "list them with 'holdfast history --epochs \(stream.path)'")
            }
            history = try History(of: stream, branch: branch, among: history.branches)
        }
        try head(history)
        if request.listsEpochs { epochs(history) } else { try records(history) }
    }

    private func head(_ history: History) throws {
        let totals = HistoryTotals(history)
        report.answer(json(history, totals))
        let identity = history.stream.identity
        report.answer(
            "\(PathText.shown(identity.path)) on \(PathText.shown(Array(identity.host.utf8)))")
        guard let first = totals.from, let last = totals.to else { return }
        report.answer(
            Counted.of(UInt64(totals.commits + totals.bases), "commit")
                + ", of these \(Counted.of(UInt64(totals.bases), "base")); "
                + "\(Counted.of(UInt64(totals.gaps), "gap")), "
                + Counted.of(
                    UInt64(history.branches.count), "epoch or branch", "epochs and branches") + "; "
                + "\(ByteCountText.shown(totals.bytes)) stored"
                + (totals.forgotten > 0 ? "; \(totals.forgotten) no longer restorable" : ""))
        guard !report.voice.isJSON else { return }
        try picture(history, from: request.from ?? first, to: request.to ?? last)
    }

    private func picture(_ history: History, from: Timestamp, to: Timestamp) throws {
        var picture = HistoryPicture(
            from: from, to: to, width: min(100, context.terminal.width() - 4))
        for run in history.runs { picture.add(run.summary) }
        try history.forEachLandmark { picture.mark($0.record) }
        let column = DurationText.short(.nanoseconds(picture.columnNanoseconds))
        report.answer("")
        report.answer("  \(picture.commits)")
        report.answer("  \(picture.landmarks)")
        report.answer(
            "  from \(TimeText.shown(from, in: context.zone)) to"
                + " \(TimeText.shown(to, in: context.zone)); a column is \(column), the highest"
                + " bar \(Counted.of(UInt64(picture.most), "commit"))")
        report.answer("  B base, ~ gap, E new epoch")
        report.answer("")
    }

    private func epochs(_ history: History) {
        var table = Table(
            Table.Column("Branch"), Table.Column("Began"), Table.Column("Cause"),
            Table.Column("Start"), Table.Column("Last"), Table.Column("Of"), Table.Column(""))
        for branch in history.branches {
            report.answer(json(branch))
            let begin = branch.begin?.record
            table.add(
                branch.name, begin.map { text.time($0.seen.wall) } ?? "",
                begin.map { RestorePointText.sentence($0.cause) } ?? "",
                begin.map { "\($0.start)" } ?? "", "\(branch.tip.position)",
                text.time(branch.tip.record.seen.wall),
                branch.fence.map { "fenced behind \(branch.epoch)/\($0)" } ?? "")
        }
        for line in table.lines { report.answer(line) }
    }

    private func json(_ branch: HistoryBranch) -> JSONLine {
        var line = JSONLine("branch")
        line.add("name", branch.name)
        line.add("epoch", branch.epoch)
        if let begin = branch.begin { line.add("begin", object: text.json(begin)) }
        line.add("tip", object: text.json(branch.tip))
        if let fence = branch.fence { line.add("fenced_behind", "\(branch.epoch)/\(fence)") }
        return line
    }

    private func records(_ history: History) throws {
        var table = HistoryTable(text)
        var count = 0
        var isCut = false
        try history.forEachNewestFirst(from: request.from, to: request.to) { handle, place in
            guard count < request.limit ?? .max else {
                isCut = true
                return false
            }
            count += 1
            let isLeft = try handle.record.kind == .gap || history.isRestorable(at: place)
            var line = text.json(handle, as: "restore_point")
            line.add("restorable", isLeft && handle.record.kind != .gap)
            let isBehindHole = history.isBroken(before: place)
            if isBehindHole { line.add("missing_before", true) }
            report.answer(line)
            let remark = isLeft ? nil : "no longer restorable"
            if !report.voice.isJSON { table.add(handle, remark) { report.answer($0) } }
            if isBehindHole, !report.voice.isJSON { table.addHole() }
            return true
        }
        if !report.voice.isJSON { table.finish { report.answer($0) } }
        if isCut { report.answer("only the newest \(count); --limit 0 shows all") }
    }
}

/// Rows of records, printed in lots, so that a long listing takes no memory.
private struct HistoryTable {
    private static let lot = 500
    private let text: RestorePointText
    private var rows: [[String]] = []
    private var hasHeading = false

    init(_ text: RestorePointText) {
        self.text = text
    }

    /// Says that the records before the last one are missing.
    mutating func addHole() {
        rows.append(["…", "", "missing", "", "", "", "a segment is gone, or cannot be read"])
    }

    /// - Parameter loss: why the state cannot be restored; nil where it can be.
    mutating func add(_ handle: RecordHandle, _ loss: String?, _ print: (String) -> Void) {
        let record = handle.record
        rows.append([
            "\(record.position)", text.time(record.seen.wall), RestorePointText.word(record),
            "\(record.tableCount)",
            ByteCountText.shown(UInt64(record.pageCount) * UInt64(record.pageSize)),
            ByteCountText.shown(handle.storedBytes),
            loss ?? remark(record),
        ])
        if rows.count == HistoryTable.lot { finish(print) }
    }

    private func remark(_ record: Record) -> String {
        switch record.kind {
        case .epoch:
            return "after \(record.start): \(RestorePointText.sentence(record.cause))"
        case .gap:
            return "commits were missed from \(text.time(record.notBefore)) on"
        default:
            return record.isFarFromLook ? "not before \(text.time(record.notBefore))" : ""
        }
    }

    mutating func finish(_ print: (String) -> Void) {
        guard !rows.isEmpty || !hasHeading else { return }
        var table = Table(
            Table.Column("Position"), Table.Column("Seen"), Table.Column("Kind"),
            Table.Column("Pages", .right), Table.Column("Size", .right),
            Table.Column("Stored", .right), Table.Column(""))
        for row in rows { table.add(row.map { [$0] }) }
        for line in hasHeading ? Array(table.lines.dropFirst(2)) : table.lines { print(line) }
        hasHeading = true
        rows = []
    }
}
