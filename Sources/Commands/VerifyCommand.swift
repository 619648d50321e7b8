import Backup
import Platform
import Repository

extension VerifyCommand {
    /// Checks what is stored; with `--drill` also that it comes back.
    static func run(_ parsed: ParsedCommand, _ context: CommandContext) throws -> ExitCode {
        let signals = try Signals()
        defer { withExtendedLifetime(signals) {} }
        let depth = try self.depth(parsed)
        guard parsed.has(drill) || !parsed.has(drillTarget) else {
            throw CommandError.usage(
                "option --drill-target goes with --drill only", hint: "add --drill")
        }
        return try Session.run(
            context, purpose: "verify", writes: false, damage: .damageFound
        ) { session in
            let report = findings(context)
            let verifier = Verifier(session.repository, report: report) {
                context.progress.update {
                    let counts = report.counts
                    return Progress(
                        .verify, items: counts.packs,
                        totalItems: counts.packsInAll > 0 ? counts.packsInAll : nil,
                        bytes: counts.bytesRead, errors: counts.findings)
                }
                return Interruption.isRequested
            }
            let start = context.clock.bootTime()
            try verifier.run(depth, damagedPacks: session.damagedPacks)
            let seconds = Double(context.clock.bootTime() - start) / 1e9
            var drilled = true
            if parsed.has(drill) {
                drilled = try runDrill(
                    in: try DrillPlace(parsed.path(drillTarget)), session, context,
                    isWhole: report.counts.findings == 0)
            }
            tell(report.counts, depth, seconds, drilled, context)
            return report.counts.findings == 0 && drilled ? .done : .damageFound
        }
    }

    /// A drill that cannot be finished must not hide what was found before it.
    private static func runDrill(
        in place: DrillPlace, _ session: Session, _ context: CommandContext, isWhole: Bool
    ) throws -> Bool {
        do {
            return try DrillRun(session, context).run(in: place)
        } catch let error as CommandError where !isWhole {
            context.report.warning(error.message, during: "drill")
            return false
        }
    }

    private static func depth(_ parsed: ParsedCommand) throws -> VerifyDepth {
        guard let share = try parsed.share(readDataSubset) else {
            return parsed.has(readData) ? .everything : .structure
        }
        guard !parsed.has(readData) else {
            throw CommandError.usage(
                "options --read-data and --read-data-subset exclude each other")
        }
        switch share {
        case .part(let number, let count): return .share(number: number, count: count)
        case .percent(let percent): return .percent(percent)
        }
    }

    private static func findings(_ context: CommandContext) -> VerifyReport {
        let report = context.report
        return VerifyReport { finding in
            switch finding {
            case .file(let name, let reason):
                // The line names the file once.
                let text = "\(reason)"
                let isNamed = text.hasPrefix(name + ": ")
                let what = isNamed ? String(text.dropFirst(name.count + 2)) : text
                report.warning("damaged: \(what)", during: "verify", item: Array(name.utf8))
            case .snapshot(let name, let reason):
                report.warning(
                    "snapshot \(name.prefix(8)) cannot be read: \(reason)", during: "verify")
            case .path(let snapshot, let path, let reason):
                report.warning(
                    "hurt in snapshot \(snapshot): \(reason)", during: "verify", item: path.bytes)
            }
        }
    }

    private static func tell(
        _ counts: VerifyCounts, _ depth: VerifyDepth, _ seconds: Double, _ drilled: Bool,
        _ context: CommandContext
    ) {
        let read =
            depth == .structure
            ? "the structure only; --read-data reads all data"
            : "\(ByteCountText.shown(counts.bytesRead)) read"
        context.report.note(
            "checked \(Counted.of(counts.snapshots, "snapshot")), "
                + "\(Counted.of(counts.packs, "repository file")), "
                + "\(Counted.of(counts.entries, "entry", "entries")), "
                + "\(Counted.of(counts.databases, "database state")): \(read)")
        if counts.findings > 0 {
            context.report.note("\(Counted.of(counts.findings, "finding")) of damage, see above")
        } else if drilled {
            context.report.note("no damage found")
        } else {
            context.report.note("the stored structure is whole, but the drill failed, see above")
        }
        var line = JSONLine("summary")
        line.add("num_errors", counts.findings)
        line.add("snapshots", counts.snapshots)
        line.add("files_checked", counts.packs)
        line.add("entries", counts.entries)
        line.add("database_states", counts.databases)
        line.add("bytes_read", counts.bytesRead)
        line.add("total_duration", seconds)
        context.report.answer(line)
    }
}
