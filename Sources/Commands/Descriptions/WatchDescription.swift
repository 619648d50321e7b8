/// `holdfast watch`.
package enum WatchCommand {
    /// When writers of a database may be held up for a moment.
    package enum CheckpointLock: String, CaseIterable, Sendable {
        /// When its log has grown.
        case auto
        /// Not ever: the log may grow.
        case never
    }

    /// `--data`
    package static let data = OptionDescription(
        "data", form: .value("DIR", .directory),
        help: "where commits wait, synced, until they are in the repository (default: "
            + "/var/lib/holdfast, or holdfast in the user's state directory)")
    /// `--seal`
    package static let seal = OptionDescription(
        "seal", form: .value("DURATION", .text),
        help: "how often commits move into the repository (default: 10s)")
    /// `--self-check`
    package static let selfCheck = OptionDescription(
        "self-check", form: .value("DURATION", .text),
        help: "how often a random recent state is brought back from the repository and compared "
            + "(default: 10m)")
    /// `--checkpoint-lock`
    package static let checkpointLock = OptionDescription(
        "checkpoint-lock",
        form: .value("WHEN", .words(CheckpointLock.allCases.map(\.rawValue))),
        help: "whether writers may be held up for a few milliseconds when a database's log has "
            + "grown (default: auto)")
    /// `--host`
    package static let host = OptionDescription(
        "host", short: "H", form: .value("NAME", .text),
        help: "record under this host's name instead of this one's")

    /// What the command line of `watch` may say.
    package static let description = CommandDescription(
        "watch", group: .backUp,
        summary: "record every commit of databases, until it is stopped",
        discussion: [
            "Any program may write the databases; none is asked for anything, and nothing is put "
                + "into them. Commits are synced to a journal on this host within milliseconds, "
                + "and move into the repository every --seal: that much a lost host costs.",
            "'holdfast history' lists what can be gone back to, 'holdfast restore --at' goes back. "
                + "A backup that runs meanwhile asks the watch for the databases' states.",
            "'holdfast config check' says what a configuration would have recorded.",
        ],
        arguments: [
            ArgumentDescription(
                "DB", .repeating, .anyPath,
                help:
                    "a SQLite database to record, or a directory: each database beneath it, those "
                    + "that come later too; without DB, those of the configuration")
        ],
        options: [data, seal, selfCheck, checkpointLock, host, BackupCommand.compression],
        examples: [
            CommandExample(
                "holdfast watch /srv/accounts/accounts.db",
                "record each commit of a database until ^C"),
            CommandExample(
                "holdfast watch --config /etc/holdfast/holdfast.json5",
                "record the databases of all services, and make their snapshots when due"),
        ])
}
