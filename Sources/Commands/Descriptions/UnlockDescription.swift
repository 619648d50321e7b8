/// `holdfast unlock`.
package enum UnlockCommand {
    /// `--remove-all`
    package static let removeAll = OptionDescription(
        "remove-all",
        help: "also the leases of processes that are alive: a backup or restore that still runs "
            + "under one fails, and has to be run again")

    /// What the command line of `unlock` may say.
    package static let description = CommandDescription(
        "unlock", group: .upkeep,
        summary: "remove the leases of processes that are gone",
        options: [removeAll],
        examples: [
            CommandExample("holdfast unlock", "tidy up after a host that lost power"),
            CommandExample(
                "holdfast unlock --remove-all",
                "revoke every lease; whoever holds one loses that run, never a snapshot"),
        ])
}
