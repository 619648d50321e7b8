/// `holdfast ls`.
package enum ListCommand {
    /// `--long`
    package static let long = OptionDescription(
        "long", short: "l", help: "with mode, owner, size and time")
    /// `--recursive`
    package static let recursive = OptionDescription(
        "recursive", help: "also what lies beneath the directories named")

    /// What the command line of `ls` may say.
    package static let description = CommandDescription(
        "ls", group: .goBack,
        summary: "list what a snapshot holds",
        discussion: [
            "Without a path everything is listed; with paths those files, and what lies directly "
                + "in those directories."
        ],
        arguments: [
            ArgumentDescription("SNAPSHOT", .required, help: SnapshotArgument.help),
            ArgumentDescription(
                "PATH", .repeating, help: "a path in the snapshot, from its root"),
        ],
        options: [long, recursive] + LatestFilter.all,
        examples: [
            CommandExample("holdfast ls latest", "list the last snapshot"),
            CommandExample(
                "holdfast ls -l latest:/srv/accounts", "list a directory, with modes and sizes"),
        ])
}
