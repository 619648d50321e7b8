/// `holdfast history`.
package enum HistoryCommand {
    /// `--from`
    package static let from = OptionDescription(
        "from", form: .value("TIME", .text), help: "only what was seen at or after this moment")
    /// `--to`
    package static let to = OptionDescription(
        "to", form: .value("TIME", .text), help: "only what was seen at or before this moment")
    /// `--limit`
    package static let limit = OptionDescription(
        "limit", form: .value("N", .text),
        help: "only the newest N of each database (default: 20, with --json all; 0: all)")
    /// `--epochs`
    package static let epochs = OptionDescription(
        "epochs", help: "list epochs and branches instead of single records")
    /// `--branch`
    package static let branch = OptionDescription(
        "branch", form: .value("NAME", .text), help: "list this branch, as --epochs names it")
    /// `--host`
    package static let host = OptionDescription(
        "host", short: "H", form: .value("NAME", .text),
        help: "only databases of this host", isRepeatable: true)
    /// `--path`
    package static let path = OptionDescription(
        "path", form: .value("PATH", .anyPath),
        help: "only databases at or below this path", isRepeatable: true)

    /// What the command line of `history` may say.
    package static let description = CommandDescription(
        "history", group: .goBack,
        summary: "list the moments that databases can be brought back to",
        discussion: [
            "Without DB, one line a database. With DB, its commits, newest first, each with its "
                + "position and the time at which it was seen, for 'restore --position' and "
                + "'restore --at'; above them a picture of the time they cover: how many commits "
                + "when, B a base, ~ a gap in which commits were not recorded one by one, E a new "
                + "epoch."
        ],
        arguments: [
            ArgumentDescription("DB", .repeating, .file, help: "path of a database")
        ],
        options: [from, to, limit, epochs, branch, host, path],
        examples: [
            CommandExample("holdfast history", "which databases are recorded, and since when"),
            CommandExample(
                "holdfast history /srv/accounts/accounts.db --from -1h",
                "the newest commits of the last hour"),
            CommandExample(
                "holdfast history /srv/accounts/accounts.db --epochs",
                "when it went back, was restored, or moved, and what can be reached"),
        ])
}
