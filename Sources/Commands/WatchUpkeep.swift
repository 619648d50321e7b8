import Platform

/// How often a watch keeps a repository small.
enum WatchUpkeep {
    /// Between two applications of a service's policy, where no snapshot is made meanwhile.
    static let forget = Duration.seconds(86_400)
    /// Between two prunes, where the configuration does not say.
    static let standardPrune = Duration.seconds(86_400)
    /// From the start to the first prune, at most: what a stop for the night has put off.
    static let firstPrune = Duration.seconds(3_600)
    /// From a prune that left something waiting to the next. By then whoever writes has declared
    /// which marks it honours; a watch does so each ten minutes.
    static let pruneAgain = Duration.seconds(900)
    /// Prunes in a row: what is fresh is marked by the second, and deleted by the third.
    static let prunesInARow = 3
}

/// What came of something that another process did.
enum WatchOutcome {
    case done
    /// There is more to do, a little later.
    case unfinished
    case failed(String)
}

/// What a watch has another process do.
enum WatchWork: Sendable {
    case snapshot(of: String)
    case forget(of: String, HostConfiguration.KeepEntry)
    case prune

    var name: String {
        switch self {
        case .snapshot(let service): "the snapshot of service \(service)"
        case .forget(let service, _): "forgetting snapshots of service \(service)"
        case .prune: "the prune"
        }
    }

    /// What is said before it is done.
    var beforehand: String? {
        switch self {
        case .snapshot: nil
        case .forget(let service, let keep): "service \(service): keeps \(keep.words)"
        case .prune: "pruning: what no snapshot and no history needs goes"
        }
    }

    /// Tells what came of it.
    func tell(_ status: ExitStatus, _ output: [UInt8], to log: WatchLog) -> WatchOutcome {
        switch (self, status) {
        case (.snapshot(let service), .exited(ExitCode.done.rawValue)):
            log.detail("service \(service): a snapshot was made")
        case (.snapshot(let service), .exited(ExitCode.incomplete.rawValue)):
            log.warn("the snapshot of service \(service) is not complete")
        case (.forget(let service, let keep), .exited(ExitCode.done.rawValue)):
            return tellForgotten(service, keep, output, log)
        case (.prune, .exited(ExitCode.done.rawValue)): return tellPruned(output, log)
        default: return .failed("\(status)")
        }
        return .done
    }

    private func tellForgotten(
        _ service: String, _ keep: HostConfiguration.KeepEntry, _ output: [UInt8], _ log: WatchLog
    ) -> WatchOutcome {
        guard let removed = ProgramSummary("forget_summary", in: output)?["removed"] else {
            return .failed("it did not say what it did")
        }
        if removed > 0 {
            log.say(
                "service \(service): \(Counted.of(removed, "snapshot")) removed; it keeps "
                    + keep.words)
        }
        return .done
    }

    private func tellPruned(_ output: [UInt8], _ log: WatchLog) -> WatchOutcome {
        guard let summary = ProgramSummary("prune_summary", in: output),
            let files = summary["deleted_files"], let bytes = summary["deleted_bytes"],
            let marked = summary["waiting_files"], let fresh = summary["fresh_files"]
        else { return .failed("it did not say what it did") }
        guard files + marked + fresh > 0 else { return .done }
        log.say(
            "pruned: \(Counted.of(files, "file")), \(ByteCountText.shown(bytes)) deleted; "
                + "\(Counted.of(marked + fresh, "file")) left to a later prune")
        return marked + fresh > 0 ? .unfinished : .done
    }
}

/// The numbers of the summary that a program of ours printed with `--json`.
private struct ProgramSummary {
    private let members: [JSON5Member]

    init?(_ type: String, in output: [UInt8]) {
        for line in output.split(separator: UInt8(ascii: "\n")).reversed() {
            guard let value = try? JSON5Parser.parse(Array(line)),
                case .object(let members) = value.content,
                members.contains(where: { member in
                    guard case .string(type) = member.value.content else { return false }
                    return member.name == "message_type"
                })
            else { continue }
            self.members = members
            return
        }
        return nil
    }

    subscript(name: String) -> UInt64? {
        guard let member = members.first(where: { $0.name == name }),
            case .number(let number) = member.value.content
        else { return nil }
        return UInt64(exactly: number)
    }
}
