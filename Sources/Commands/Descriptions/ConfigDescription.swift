/// `holdfast config`.
package enum ConfigCommand {
    /// What the command line of `config` may say.
    package static let description = CommandDescription(
        "config", group: .upkeep,
        summary: "look a configuration over",
        discussion: [
            "'config check' names each mistake in a configuration with its line, column and key: "
                + "what does not exist, is no database, is named twice, or is written wrongly. "
                + "Where there is none it says what would be watched, and when. It changes "
                + "nothing.",
            "Without FILE it is the one of --config, else /etc/holdfast/holdfast.json5.",
        ],
        arguments: [
            ArgumentDescription("check", .required, .words(["check"]), help: "look it over"),
            ArgumentDescription("FILE", .optional, .file, help: "the configuration"),
        ],
        examples: [
            CommandExample("holdfast config check", "see what is wrong, or what would be done")
        ])
}
