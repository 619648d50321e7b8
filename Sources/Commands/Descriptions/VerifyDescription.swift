/// `holdfast verify`.
package enum VerifyCommand {
    /// `--read-data`
    package static let readData = OptionDescription(
        "read-data", help: "read all that is stored, not only what describes it")
    /// `--read-data-subset`
    package static let readDataSubset = OptionDescription(
        "read-data-subset", form: .value("SHARE", .text),
        help: "read a part of it: n/m for part n of m, or x% at random")
    /// `--drill`
    package static let drill = OptionDescription(
        "drill",
        help: "restore the last snapshots to a scratch place, check databases with SQLite, "
            + "compare bytes, and write evidence")
    /// `--drill-target`
    package static let drillTarget = OptionDescription(
        "drill-target", form: .value("DIR", .directory),
        help: "the scratch place of --drill (default: the directory for temporary files)")

    /// What the command line of `verify` may say.
    package static let description = CommandDescription(
        "verify", aliases: ["check", "verify-integrity"], group: .proveIt,
        summary: "check that what is stored can be restored",
        discussion: [
            "The structure is checked always: every snapshot, every tree, and that each blob they "
                + "name is there. The exit code is 20 when damage was found; each damage is named."
        ],
        options: [readData, readDataSubset, drill, drillTarget],
        examples: [
            CommandExample("holdfast verify", "check the structure"),
            CommandExample(
                "holdfast verify --read-data-subset 1/7",
                "read a seventh of the data, another one each day of the week"),
            CommandExample(
                "holdfast verify --drill", "prove that the last backup comes back"),
        ])
}
