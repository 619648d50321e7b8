/// `holdfast dump`.
package enum DumpCommand {
    /// `--target`
    package static let target = OptionDescription(
        "target", short: "t", form: .value("FILE", .file),
        help: "write to this file instead of standard output")

    /// What the command line of `dump` may say.
    package static let description = CommandDescription(
        "dump", group: .goBack,
        summary: "write one file of a snapshot to standard output",
        arguments: [
            ArgumentDescription("SNAPSHOT", .required, help: SnapshotArgument.help),
            ArgumentDescription(
                "FILE", .required, help: "a file in the snapshot, by its path from the root"),
        ],
        options: [target] + LatestFilter.all,
        examples: [
            CommandExample(
                "holdfast dump latest /etc/fstab", "show a file as it was backed up last"),
            CommandExample(
                "holdfast dump latest /srv/accounts/accounts.db --target /tmp/accounts.db",
                "fetch a database into a file of its own"),
        ])
}
