import Backup
import Codec
import Platform
import Repository

/// What a backup did, in restic's words and shapes.
struct BackupSummary {
    private let outcome: ArchiveOutcome
    private let dryRun: Bool
    private let seconds: Double
    private let problems: UInt64

    /// - Parameter missing: how many of the paths given are not there.
    init(_ outcome: ArchiveOutcome, missing: Int, dryRun: Bool, seconds: Double) {
        self.outcome = outcome
        problems = outcome.counts.problems + UInt64(missing)
        self.dryRun = dryRun
        self.seconds = seconds
    }

    func tell(_ context: CommandContext) {
        for line in lines {
            // What a dry run says is what it was asked for.
            if dryRun { context.report.answer(line) } else { context.report.note(line) }
        }
        context.report.answer(json)
    }

    private var lines: [String] {
        let counts = outcome.counts
        let stored = outcome.stored
        var lines = [
            "Files: \(counts.newFiles) new, \(counts.changedFiles) changed, "
                + "\(counts.unchangedFiles) unmodified",
            "Dirs:  \(counts.newDirectories) new, \(counts.changedDirectories) changed, "
                + "\(counts.unchangedDirectories) unmodified",
        ]
        if counts.databases + counts.plainDatabases > 0 {
            lines.append(
                "Databases: \(counts.databases) captured, \(counts.plainDatabases) as plain files")
        }
        let verb = dryRun ? "Would add" : "Added"
        lines.append(
            "\(verb) to the repository: \(ByteCountText.shown(stored.added)) "
                + "(\(ByteCountText.shown(stored.stored)) stored)")
        lines.append(
            "processed \(Counted.of(counts.files, "file")), "
                + "\(ByteCountText.shown(counts.bytes)) in "
                + DurationText.clock(seconds: UInt64(seconds)))
        if problems > 0 {
            lines.append("\(Counted.of(problems, "problem")), see above; the rest is safe")
        }
        if let snapshot = outcome.snapshot {
            lines.append("snapshot \(snapshot.shortID) saved")
        } else if dryRun {
            lines.append("dry run: nothing was stored")
        } else {
            lines.append("nothing changed; no snapshot was made")
        }
        return lines
    }

    private var json: JSONLine {
        let counts = outcome.counts
        var line = JSONLine("summary")
        if dryRun { line.add("dry_run", true) }
        line.add("files_new", counts.newFiles)
        line.add("files_changed", counts.changedFiles)
        line.add("files_unmodified", counts.unchangedFiles)
        line.add("dirs_new", counts.newDirectories)
        line.add("dirs_changed", counts.changedDirectories)
        line.add("dirs_unmodified", counts.unchangedDirectories)
        line.add("databases", counts.databases)
        line.add("databases_as_files", counts.plainDatabases)
        line.add("data_blobs", UInt64(outcome.stored.dataBlobs))
        line.add("tree_blobs", UInt64(outcome.stored.treeBlobs))
        line.add("data_added", outcome.stored.added)
        line.add("data_added_packed", outcome.stored.stored)
        line.add("total_files_processed", counts.files)
        line.add("total_bytes_processed", counts.bytes)
        line.add("total_duration", seconds)
        line.add("error_count", problems)
        if let snapshot = outcome.snapshot { line.add("snapshot_id", snapshot.id.hex) }
        return line
    }
}
