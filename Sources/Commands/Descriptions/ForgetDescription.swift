/// `holdfast forget`.
package enum ForgetCommand {
    /// `--keep-last`
    package static let keepLast = OptionDescription(
        "keep-last", short: "l", form: .value("N", .text), help: "keep the last N snapshots")
    /// `--keep-hourly` and its like, and the period that each of them names.
    package static let keepPeriods = [
        ("hourly", "H", "hours"), ("daily", "d", "days"), ("weekly", "w", "weeks"),
        ("monthly", "m", "months"), ("yearly", "y", "years"),
    ].map { name, short, plural in
        OptionDescription(
            "keep-\(name)", short: short == "H" ? nil : Character(short),
            form: .value("N", .text),
            help: "keep the newest snapshot of each of the last N \(plural) that have one")
    }
    /// `--keep-within`
    package static let keepWithin = OptionDescription(
        "keep-within", form: .value("AGE", .text),
        help: "keep what is no older than this, seen from the newest: 1y6m, 2w, 7d12h "
            + "(m is a month)")
    /// `--keep-within-hourly` and its like.
    package static let keepWithinPeriods = [
        ("hourly", "hour"), ("daily", "day"), ("weekly", "week"), ("monthly", "month"),
        ("yearly", "year"),
    ].map { name, period in
        OptionDescription(
            "keep-within-\(name)", form: .value("AGE", .text),
            help: "keep the newest snapshot of each \(period) within this age")
    }
    /// `--keep-tag`
    package static let keepTag = OptionDescription(
        "keep-tag", form: .value("TAG", .text),
        help: "keep what bears this label; with several by commas, all of them",
        isRepeatable: true)
    /// `--keep-at-least`
    package static let keepAtLeast = OptionDescription(
        "keep-at-least", form: .value("N", .text),
        help: "keep the newest N of each group, whatever the other rules say (default: 1)")
    /// `--group-by`
    package static let groupBy = OptionDescription(
        "group-by", short: "g", form: .value("KEYS", .text),
        help: "judge together what shares these: host, paths, tags, by commas; empty for all "
            + "in one (default: host,paths)")
    /// `--prune`
    package static let prune = OptionDescription(
        "prune", help: "free afterwards what nothing needs any more")

    static let rules =
        [keepLast] + keepPeriods + [keepWithin] + keepWithinPeriods + [keepTag, keepAtLeast]

    /// What the command line of `forget` may say.
    package static let description = CommandDescription(
        "forget", group: .upkeep,
        summary: "remove snapshots by a policy, or by their ids",
        discussion: [
            "A policy keeps what any of its rules keeps, in each group for itself, and removes the "
                + "rest. Ages count back from the newest snapshot, never from a clock. The last "
                + "snapshot of a group stays whatever the policy says; only its id removes it."
        ],
        arguments: [
            ArgumentDescription(
                "SNAPSHOT", .repeating,
                help: "a snapshot to remove: latest, latest~N, or the beginning of its id")
        ],
        options: rules + [groupBy] + SnapshotFilter.all + [prune, PruneCommand.dryRun]
            + PruneCommand.options,
        examples: [
            CommandExample(
                "holdfast forget --keep-daily 14 --keep-monthly 12 --prune",
                "two weeks of days, a year of months, and free the rest"),
            CommandExample(
                "holdfast forget --keep-within 30d --dry-run", "see what stays, and why"),
            CommandExample("holdfast forget 1a2b3c4d", "remove one snapshot"),
        ])
}
