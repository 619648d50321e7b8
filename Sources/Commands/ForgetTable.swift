import Backup
import Codec
import Platform
import Repository

/// Says which snapshots stay, and why, and which go.
struct ForgetTable {
    private let plan: ForgetPlan
    private let context: CommandContext

    init(_ plan: ForgetPlan, _ context: CommandContext) {
        self.plan = plan
        self.context = context
    }

    /// - Parameter isAnswer: whether it is what was asked for, as in a dry run.
    func tell(isAnswer: Bool) {
        func say(_ line: String) { context.report.plan(line, isAsked: isAnswer) }
        for group in plan.groups {
            say(title(group))
            var table = Table(
                Table.Column("ID"), Table.Column("Time"), Table.Column("Tags"),
                Table.Column("Size", .right), Table.Column("Stays because of"))
            for member in group.members {
                table.add(row(member))
                context.report.answer(json(member))
            }
            for line in table.lines { say(line) }
            let kept = group.members.filter { !$0.reasons.isEmpty }.count
            say("\(kept) stay, \(group.members.count - kept) go")
        }
    }

    private func title(_ group: SnapshotGroup) -> String {
        var parts: [String] = []
        if let host = group.host { parts.append("host \(host)") }
        if let paths = group.paths {
            parts.append("paths " + paths.map(PathText.shown).joined(separator: ", "))
        }
        if let tags = group.tags {
            parts.append(tags.isEmpty ? "no tags" : "tags " + tags.joined(separator: ","))
        }
        let shown = parts.joined(separator: ", ")
        return "snapshots of \(shown.isEmpty ? "everything" : PathText.shown(message: shown)):"
    }

    private func row(_ member: SnapshotGroup.Member) -> [[String]] {
        let snapshot = member.snapshot.snapshot
        return [
            [member.snapshot.shortID], [TimeText.shown(snapshot.time, in: context.zone)],
            snapshot.tags.map { PathText.shown(Array($0.utf8)) },
            [ByteCountText.shown(snapshot.totals.bytes)],
            member.reasons.isEmpty ? ["- goes"] : [member.reasons.joined(separator: ", ")],
        ]
    }

    private func json(_ member: SnapshotGroup.Member) -> JSONLine {
        let snapshot = member.snapshot.snapshot
        var line = JSONLine("forget")
        line.add("action", member.reasons.isEmpty ? "remove" : "keep")
        line.add("id", member.snapshot.id.hex)
        line.add("time", TimeText.rfc3339(snapshot.time, in: context.zone))
        line.add("hostname", snapshot.host)
        line.add("tags", texts: snapshot.tags)
        line.add("paths", texts: snapshot.paths.map { String(decoding: $0, as: UTF8.self) })
        line.add("reasons", texts: member.reasons)
        return line
    }
}
