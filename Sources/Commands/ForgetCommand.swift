import Backup
import Codec
import Platform
import Repository

extension ForgetCommand {
    /// Removes snapshots.
    static func run(_ parsed: ParsedCommand, _ context: CommandContext) throws -> ExitCode {
        let signals = try Signals()
        defer { withExtendedLifetime(signals) {} }
        let request = try ForgetRequest(parsed, context)
        return try Session.run(context, purpose: "forget", writes: !request.isDry) { session in
            try ForgetRun(request, session, context).run()
            return context.report.warnings == 0 ? .done : .failed
        }
    }
}

/// What a forget is told.
struct ForgetRequest {
    let names: [String]
    let policy: RetentionPolicy
    let grouping: Set<GroupingKey>
    let selection: SnapshotSelection
    let isDry: Bool
    /// Nil where nothing is to be pruned.
    let prune: PruneRequest?
    let trustsTimes: Bool

    init(_ parsed: ParsedCommand, _ context: CommandContext) throws {
        names = try parsed.arguments.indices.compactMap { try parsed.argumentText($0) }
        policy = try ForgetRequest.policy(parsed)
        grouping = try ForgetRequest.grouping(parsed)
        selection = try SnapshotSelection(
            parsed, host: SnapshotFilter.host, path: SnapshotFilter.path, tag: SnapshotFilter.tag)
        isDry = parsed.has(PruneCommand.dryRun)
        prune = parsed.has(ForgetCommand.prune) ? try PruneRequest(parsed, context) : nil
        trustsTimes = parsed.has(PruneCommand.trustTimes)
        try requireSense(parsed)
    }

    private func requireSense(_ parsed: ParsedCommand) throws {
        if let rule = ForgetCommand.rules.first(where: parsed.has), !names.isEmpty {
            throw CommandError.usage(
                "snapshots are removed by their ids or by a policy, not both",
                hint: "leave out the ids or \(rule.spelling)")
        }
        guard !names.isEmpty || !policy.isEmpty else {
            throw CommandError.usage(
                "no rule says what stays: nothing was forgotten",
                hint: "say what to keep, such as --keep-daily 14 --keep-monthly 12; "
                    + "--dry-run shows what would go")
        }
        let ofPrune = [
            PruneCommand.maxUnused, PruneCommand.keepHistory, PruneCommand.historyHost,
        ]
        for option in ofPrune where parsed.has(option) {
            guard prune == nil else { continue }
            throw CommandError.usage(
                "option \(option.spelling) goes with --prune only", hint: "add --prune")
        }
    }

    private static func policy(_ parsed: ParsedCommand) throws -> RetentionPolicy {
        func count(_ option: OptionDescription) throws -> Int? {
            try parsed.text(option).map {
                try RetentionText.count($0, of: "option \(option.spelling)")
            }
        }
        func age(_ option: OptionDescription) throws -> Int64? {
            try parsed.text(option).map {
                try RetentionText.age($0, of: "option \(option.spelling)")
            }
        }
        var policy = RetentionPolicy()
        policy.last = try count(ForgetCommand.keepLast) ?? 0
        for (period, option) in zip(CalendarPeriod.allCases, ForgetCommand.keepPeriods) {
            policy.periods[period] = try count(option)
        }
        policy.within = try age(ForgetCommand.keepWithin)
        for (period, option) in zip(CalendarPeriod.allCases, ForgetCommand.keepWithinPeriods) {
            policy.withinPeriods[period] = try age(option)
        }
        policy.tags = try parsed.texts(ForgetCommand.keepTag).map {
            Set($0.split(separator: ",").map(String.init))
        }.filter { !$0.isEmpty }
        policy.atLeast = max(1, try count(ForgetCommand.keepAtLeast) ?? 1)
        return policy
    }

    private static func grouping(_ parsed: ParsedCommand) throws -> Set<GroupingKey> {
        guard let text = try parsed.text(ForgetCommand.groupBy) else { return [.host, .paths] }
        return try Set(
            text.split(separator: ",").map { word in
                guard let key = GroupingKey(rawValue: String(word)) else {
                    throw CommandError.usage(
                        "option --group-by cannot be \(PathText.shown(Array(word.utf8)))",
                        hint: "write host, paths and tags, with commas between")
                }
                return key
            })
    }
}

/// A forget, and what is said of it.
private struct ForgetRun {
    private let request: ForgetRequest
    private let session: Session
    private let context: CommandContext

    init(_ request: ForgetRequest, _ session: Session, _ context: CommandContext) {
        self.request = request
        self.session = session
        self.context = context
    }

    func run() throws {
        let patience = context.settings.retryLock.map { UInt64($0 / .nanoseconds(1)) } ?? 0
        let forgetter =
            request.isDry
            ? nil
            : try Forgetter(
                in: session.repository, under: session.writingLease(), patience: patience)
        // Listed only now, with the right to forget.
        let names = request.names.isEmpty ? try byPolicy() : try named()
        try forgetter?.remove(names) {
            if Interruption.isRequested { throw Interrupted() }
        }
        summarize(names.count)
        if let prune = request.prune {
            try PruneRun(prune, session, context).run(
                dryRun: request.isDry, forgotten: Set(names))
        }
    }

    private func named() throws -> [ObjectName] {
        let (readable, damaged) = try session.repository.snapshots()
        let chosen = readable.filter { request.selection.selects($0.snapshot) }
        return try request.names.map { name in
            // A snapshot that cannot be read keeps prune from working until it is removed.
            let lost = damaged.map(\.name).filter { $0.name.hasPrefix(name) }
            if let lost = lost.first, lost.name.count >= name.count, name.count >= 8 {
                return lost
            }
            let found = try session.repository.find(name, among: chosen)
            let time = TimeText.shown(found.snapshot.time, in: context.zone)
            context.report.note("removes \(found.shortID) of \(time)")
            return ObjectName(.snapshots, found.id.hex)
        }
    }

    private func byPolicy() throws -> [ObjectName] {
        let all = try session.snapshots(context)
        let plan = ForgetPlan(
            all.filter { request.selection.selects($0.snapshot) }, by: request.policy,
            grouping: request.grouping, offset: context.zone.offsetSeconds)
        if !plan.removed.isEmpty, !request.trustsTimes {
            try ForgetPlan.requireBelievableTimes(
                all, now: session.repository.world.clock.now())
        }
        ForgetTable(plan, context).tell(isAnswer: request.isDry)
        return plan.removed.map { ObjectName(.snapshots, $0.id.hex) }
    }

    private func summarize(_ count: Int) {
        context.report.plan(
            Counted.of(UInt64(count), "snapshot")
                + (request.isDry ? " would be removed" : " removed"),
            isAsked: request.isDry)
        var line = JSONLine("forget_summary")
        line.add("dry_run", request.isDry)
        line.add("removed", UInt64(count))
        context.report.answer(line)
    }
}
