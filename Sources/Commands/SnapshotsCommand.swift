import Backup
import Codec
import Platform
import Repository

extension SnapshotsCommand {
    /// Lists snapshots.
    static func run(_ parsed: ParsedCommand, _ context: CommandContext) throws -> ExitCode {
        let selection = try SnapshotSelection(
            parsed, host: SnapshotFilter.host, path: SnapshotFilter.path, tag: SnapshotFilter.tag)
        let limit = try parsed.number(latest, in: 1...1_000_000)
        return try Session.run(context, purpose: "snapshots", writes: false) { session in
            let all = try session.snapshots(context)
            var chosen = all.filter { selection.selects($0.snapshot) }
            if let limit { chosen = newest(limit, of: chosen) }
            for snapshot in chosen { context.report.answer(json(snapshot, context)) }
            print(chosen, context)
            return context.report.warnings == 0 ? .done : .failed
        }
    }

    /// The last so many of each host and set of paths, in the order of the list.
    private static func newest(_ limit: Int, of snapshots: [StoredSnapshot]) -> [StoredSnapshot] {
        var counts: [String: Int] = [:]
        let kept = snapshots.reversed().filter { stored in
            let key = stored.snapshot.host + "\0" + stored.snapshot.paths.description
            counts[key, default: 0] += 1
            return counts[key, default: 0] <= limit
        }
        return kept.reversed()
    }

    private static func print(_ snapshots: [StoredSnapshot], _ context: CommandContext) {
        var table = Table(
            Table.Column("ID"), Table.Column("Time"), Table.Column("Host"), Table.Column("Tags"),
            Table.Column("Size", .right), Table.Column("Paths"))
        for stored in snapshots {
            let snapshot = stored.snapshot
            table.add([
                [stored.shortID], [TimeText.shown(snapshot.time, in: context.zone)],
                [PathText.shown(Array(snapshot.host.utf8))],
                snapshot.tags.map { PathText.shown(Array($0.utf8)) },
                [ByteCountText.shown(snapshot.totals.bytes)],
                snapshot.paths.map(PathText.shown) + missing(in: snapshot),
            ])
        }
        for line in table.isEmpty ? [] : table.lines { context.report.answer(line) }
        context.report.answer(Counted.of(UInt64(snapshots.count), "snapshot"))
    }

    /// A line of the table that marks a snapshot which does not hold all it names.
    private static func missing(in snapshot: Snapshot) -> [String] {
        let count = snapshot.totals.unreadable
        return count > 0
            ? ["(\(Counted.of(count, "entry", "entries")) could not be read)"] : []
    }

    private static func json(_ stored: StoredSnapshot, _ context: CommandContext) -> JSONLine {
        let snapshot = stored.snapshot
        var line = JSONLine("snapshot")
        line.add("id", stored.id.hex)
        line.add("short_id", stored.shortID)
        line.add("time", TimeText.rfc3339(snapshot.time, in: context.zone))
        line.add("hostname", snapshot.host)
        line.add("username", snapshot.user)
        line.add("tags", texts: snapshot.tags)
        line.add("paths", texts: snapshot.paths.map { String(decoding: $0, as: UTF8.self) })
        if let parent = snapshot.parent { line.add("parent", parent.hex) }
        line.add("program_version", snapshot.program)
        line.add("total_files", snapshot.totals.files)
        line.add("total_bytes", snapshot.totals.bytes)
        line.add("data_added_packed", snapshot.totals.stored)
        line.add("unreadable", snapshot.totals.unreadable)
        line.add("databases", objects: snapshot.databases.map(json))
        return line
    }

    private static func json(_ database: Snapshot.Database) -> JSONLine {
        var line = JSONLine()
        line.add("path", path: database.path)
        line.add("position", "\(database.reference.position)")
        line.add("state_root", database.stateRoot.hex)
        line.add("page_size", UInt64(database.pageSize))
        line.add("pages", UInt64(database.pageCount))
        return line
    }
}
