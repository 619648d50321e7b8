import Backup
import Platform
import Repository
import Timeline

/// Restores databases, and trees, as they were at a moment or a position.
struct RestoreMoment {
    private let request: MomentRequest
    private let patterns: PathSelection
    private let session: Session
    private let context: CommandContext
    private let finder: MomentFinder
    private let text: RestorePointText

    /// What is to be restored.
    struct Plan {
        var asked: Timestamp?
        var snapshot: StoredSnapshot?
        var findings: [MomentFinding] = []
        /// The common instant that was chosen instead of the moment.
        var cut: Timestamp?
    }

    /// - Parameter patterns: leave databases out, as they do files.
    init(
        _ request: MomentRequest, _ patterns: PathSelection, _ selection: SnapshotSelection,
        _ session: Session, _ context: CommandContext
    ) throws {
        self.request = request
        self.patterns = patterns
        self.session = session
        self.context = context
        finder = try MomentFinder(request, selection, session, context)
        text = finder.text
    }

    /// What the request names; throws, once all of it was told, where something is not certain.
    func plan() throws -> Plan {
        let plan: Plan
        switch request.goal {
        case .moments(let moments): plan = try self.plan(at: moments)
        case .position(let position): plan = try self.plan(at: position)
        }
        guard plan.findings.allSatisfy({ $0.point != nil }) else { throw refusal(plan) }
        guard !plan.findings.isEmpty || plan.snapshot != nil else {
            throw try nothing(at: plan.asked)
        }
        return plan
    }

    private func nothing(at asked: Timestamp?) throws -> CommandError {
        let moment = asked.map { "that moment, \(text.time($0))" } ?? "that moment"
        let sentence = "nothing was recorded at or before \(moment)"
        guard let first = try finder.beginning() else {
            return CommandError(
                .failed, sentence,
                hint: "see what is recorded with 'holdfast history' and 'holdfast snapshots'")
        }
        return CommandError(
            .failed,
            "\(sentence); the nearest after it is \(first.what) at \(text.time(first.moment))",
            hint: "ask for that with --at '\(text.time(first.moment))'")
    }

    private func plan(at moments: [Timestamp]) throws -> Plan {
        let moment = moments[0]
        var plan = Plan(asked: moment, snapshot: finder.snapshot(at: moment))
        guard moments.allSatisfy({ finder.snapshot(at: $0)?.id == plan.snapshot?.id }) else {
            throw CommandError(
                .failed, "the clocks showed that time twice, and a snapshot was taken between",
                hint: "name the moment with its zone: "
                    + moments.map { text.time($0) }.joined(separator: " or "))
        }
        let streams = try selected(finder.streams(at: moment, beside: plan.snapshot), plan)
        plan.findings = try streams.map { try finder.find(moments, in: $0) }
        guard streams.count > 1, plan.findings.allSatisfy({ $0.point != nil }),
            let cut = try finder.cut(before: moment, of: streams)
        else { return plan }
        let atCut = try streams.map { try finder.find([cut], in: $0) }
        guard atCut.allSatisfy({ $0.point != nil }) else { return plan }
        plan.findings = atCut
        plan.cut = cut
        return plan
    }

    /// What the patterns leave of the databases: of the others nothing has to be certain.
    private func selected(
        _ streams: [Timeline.Stream], _ plan: Plan
    ) throws -> [Timeline.Stream] {
        let selected = streams.filter { patterns.selects($0.identity.path, isDirectory: false) }
        guard selected.isEmpty, !streams.isEmpty, plan.snapshot == nil else { return selected }
        throw CommandError(
            .failed, "the patterns leave out each database that is recorded",
            hint: "see what is recorded with 'holdfast history'")
    }

    private func plan(at position: Position) throws -> Plan {
        let streams =
            try request.databases.isEmpty ? finder.streams : finder.namedStreams()
        guard streams.count == 1 else {
            throw CommandError.usage(
                "option --position needs one database, and there are \(streams.count) of them",
                hint: "name it with --database, and --host where several hosts have it")
        }
        var plan = Plan(findings: try streams.map { try finder.find(position, in: $0) })
        if request.service != nil, let point = plan.findings.first?.point {
            plan.snapshot = finder.snapshot(at: point.record.record.seen.wall)
        }
        return plan
    }

    /// The states to restore, with what a snapshot knows of the files.
    func source(_ plan: Plan) throws -> RestoreSource {
        let browser = SnapshotBrowser(session.repository)
        let states = try plan.findings.compactMap { finding -> DatabaseState? in
            guard let point = finding.point else { return nil }
            let known = try node(of: finding.stream, plan.snapshot, browser)
            return DatabaseState(point.record, of: finding.stream, as: known)
        }
        guard let snapshot = plan.snapshot else { return RestoreSource(states) }
        return RestoreSource(nil, of: snapshot.snapshot, databases: states)
    }

    private func node(
        of stream: Timeline.Stream, _ snapshot: StoredSnapshot?, _ browser: SnapshotBrowser
    ) throws -> Node? {
        let holders = finder.snapshots.filter {
            $0.snapshot.databases.contains { $0.reference.stream == stream.identity.stream }
        }
        let preferred = holders.first { $0.id == snapshot?.id } ?? holders.last
        guard let holder = preferred else { return nil }
        let node = try browser.node(at: stream.path, in: holder)
        guard case .database = node?.content else { return nil }
        return node
    }
}

// What is said of it.
extension RestoreMoment {
    private func refusal(_ plan: Plan) -> CommandError {
        for finding in plan.findings { tell(finding, plan) }
        let uncertain = plan.findings.filter { $0.point == nil }
        return CommandError(
            .failed,
            "nothing was restored: of \(uncertain.count) of "
                + Counted.of(UInt64(plan.findings.count), "database")
                + " it is not certain which state is meant",
            hint: hint(plan, uncertain) ?? "see what is recorded with 'holdfast history'")
    }

    /// The ways that lead on: without what is not certain, and that by its position.
    private func hint(_ plan: Plan, _ uncertain: [MomentFinding]) -> String? {
        let choice = uncertain.lazy.compactMap { finding in
            finding.nearest.first.map {
                "--position \($0.position) --database \(finding.stream.path)"
            }
        }.first
        guard uncertain.count < plan.findings.count else {
            let which = uncertain.count == 1 ? "one" : "for each database by itself, as"
            return choice.map { "choose \(which) with \($0)" }
        }
        let certain = plan.findings.filter { $0.point != nil }
        let rest =
            request.databases.isEmpty
            ? RestoreMoment.options("--exclude", uncertain)
            : RestoreMoment.options("--database", certain)
        let others = "restore what is certain with \(rest)"
        return choice.map { "\(others), and choose a state of the rest with \($0)" } ?? others
    }

    private static func options(_ option: String, _ findings: [MomentFinding]) -> String {
        findings.map { "\(option) \($0.stream.path)" }.joined(separator: " ")
    }

    /// Says what was asked and what is given, for each database.
    func tell(_ plan: Plan) {
        for finding in plan.findings { tell(finding, plan) }
        if let cut = plan.cut {
            context.report.answer(
                "all of these are as of \(text.time(cut)), the nearest common instant at or before"
                    + " the moment")
        } else if plan.findings.count > 1, plan.asked != nil {
            context.report.answer(
                "no common instant is recorded just before: each database is as of its own last"
                    + " commit")
        }
        if let snapshot = plan.snapshot {
            context.report.answer(
                "files are those of snapshot \(snapshot.shortID) of"
                    + " \(TimeText.shown(snapshot.snapshot.time, in: context.zone))")
        } else if request.databases.isEmpty, plan.asked != nil || request.service != nil {
            context.report.answer("no files: there is no snapshot at or before that moment")
        }
    }

    private func tell(_ finding: MomentFinding, _ plan: Plan) {
        for line in lines(finding, plan) { context.report.answer(line) }
        context.report.answer(json(finding, plan))
    }

    private func lines(_ finding: MomentFinding, _ plan: Plan) -> [String] {
        let path = PathText.shown(finding.stream.identity.path)
        let asked = plan.asked.map { "asked for \(text.time($0)), " } ?? ""
        switch finding.outcome {
        case .point(let point):
            let next = point.next.map { "the next commit is \(text.shown($0))" }
            return [
                "\(path): \(asked)given \(text.shown(point.record))",
                "\(path): " + (next ?? "no later commit is recorded"),
            ]
        case .refused(_, let sentence, let before, let after):
            return ["\(path): \(asked)\(sentence)"]
                + (before.map { ["  before: \(text.shown($0))"] } ?? [])
                + (after.map { ["  after:  \(text.shown($0))"] } ?? [])
        case .several(let points):
            return ["\(path): \(asked)which was there more than once; it is one of"]
                + points.map { "  \(text.shown($0.record))" }
        }
    }

    /// What programs are told of one database.
    func json(_ finding: MomentFinding, _ plan: Plan, as type: String? = "restore_point")
        -> JSONLine
    {
        var line = type.map { JSONLine($0) } ?? JSONLine()
        line.add("path", path: finding.stream.identity.path)
        line.add("hostname", finding.stream.identity.host)
        if let asked = plan.asked {
            line.add("asked", TimeText.rfc3339(asked, in: context.zone))
        }
        if let cut = plan.cut { line.add("cut", TimeText.rfc3339(cut, in: context.zone)) }
        line.add("certain", finding.point != nil)
        switch finding.outcome {
        case .point(let point):
            line.add("given", object: text.json(point.record))
            if let next = point.next { line.add("next", object: text.json(next)) }
        case .refused(let reason, _, let before, let after):
            line.add("reason", reason)
            if let before { line.add("before", object: text.json(before)) }
            if let after { line.add("after", object: text.json(after)) }
        case .several(let points):
            line.add("reason", "several")
            line.add("candidates", objects: points.map { text.json($0.record) })
        }
        return line
    }
}

extension MomentFinding {
    /// The records to choose from, where nothing is certain.
    fileprivate var nearest: [RecordHandle] {
        switch outcome {
        case .point(let point): [point.record]
        case .refused(_, _, let before, let after): [before, after].compactMap { $0 }
        case .several(let points): points.map(\.record)
        }
    }
}
