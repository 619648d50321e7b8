/// `holdfast snapshots`.
package enum SnapshotsCommand {
    /// `--latest`
    package static let latest = OptionDescription(
        "latest", form: .value("N", .text),
        help: "only the last N of each host and set of paths")

    /// What the command line of `snapshots` may say.
    package static let description = CommandDescription(
        "snapshots", group: .goBack,
        summary: "list the snapshots",
        options: SnapshotFilter.all + [latest],
        examples: [
            CommandExample("holdfast snapshots", "list all of them"),
            CommandExample(
                "holdfast snapshots --host alpha --path /srv --latest 3 --json",
                "the last three of /srv on alpha, for a program"),
        ])
}

/// The options by which several commands choose among snapshots.
package enum SnapshotFilter {
    /// `--host`
    package static let host = OptionDescription(
        "host", short: "H", form: .value("NAME", .text),
        help: "only snapshots of this host", isRepeatable: true)
    /// `--path`
    package static let path = OptionDescription(
        "path", form: .value("PATH", .anyPath),
        help: "only snapshots that hold this path", isRepeatable: true)
    /// `--tag`
    package static let tag = OptionDescription(
        "tag", form: .value("TAG", .text),
        help: "only snapshots with this label; with several by commas, all of them",
        isRepeatable: true)

    static let all = [host, path, tag]
}

/// The options that say which snapshot `latest` is.
package enum LatestFilter {
    /// `--host`
    package static let host = OptionDescription(
        "host", short: "H", form: .value("NAME", .text),
        help: "latest is the last snapshot of this host", isRepeatable: true)
    /// `--path`
    package static let path = OptionDescription(
        "path", form: .value("PATH", .anyPath),
        help: "latest is the last snapshot that holds this path", isRepeatable: true)
    /// `--tag`
    package static let tag = OptionDescription(
        "tag", form: .value("TAG", .text),
        help: "latest is the last snapshot with this label; with several by commas, all of them",
        isRepeatable: true)

    static let all = [host, path, tag]
}

/// What stands for a snapshot on the command line.
enum SnapshotArgument {
    static let help =
        "a snapshot: latest, latest~N, or the beginning of its id; ID:/sub/dir is a part of it"
}
