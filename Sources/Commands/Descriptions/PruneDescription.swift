/// `holdfast prune`.
package enum PruneCommand {
    /// `--max-unused`
    package static let maxUnused = OptionDescription(
        "max-unused", form: .value("LIMIT", .text),
        help: "how much may stay stored that nothing needs: a percentage, a size such as 500M, or "
            + "unlimited, which deletes only what is wholly unneeded (default: 5%)")
    /// `--keep-history`
    package static let keepHistory = OptionDescription(
        "keep-history", form: .value("AGE", .text),
        help: "keep every recorded state of a database that is no older than this, counted back "
            + "from its newest; unlimited for all; AGE:PATH for the databases at or beneath a path "
            + "of this host (default: 7d)", isRepeatable: true)
    /// `--history-host`
    package static let historyHost = OptionDescription(
        "history-host", form: .value("NAME", .text),
        help: "the host whose paths --keep-history names, instead of this one")
    /// `--trust-times`
    package static let trustTimes = OptionDescription(
        "trust-times",
        help: "believe times that look as if a clock had jumped ahead")
    /// `--dry-run`
    package static let dryRun = OptionDescription(
        "dry-run", short: "n", help: "only say what would be freed")

    static let options = [maxUnused, keepHistory, historyHost, trustTimes]

    /// What the command line of `prune` may say.
    package static let description = CommandDescription(
        "prune", group: .upkeep,
        summary: "free what no snapshot and no history needs",
        discussion: [
            "It runs while backups and restores run, and can be cut off at any moment. What others "
                + "may still be about to use is only marked; a later run deletes it."
        ],
        options: options + [dryRun],
        examples: [
            CommandExample("holdfast prune --dry-run", "see what it would free"),
            CommandExample(
                "holdfast prune --max-unused 10%", "leave more where it is, and copy less"),
        ])
}
