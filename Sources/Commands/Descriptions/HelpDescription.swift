/// `holdfast help`, which `Program` answers itself.
package enum HelpCommand {
    /// What the command line of `help` may say.
    package static let description = CommandDescription(
        "help", group: .upkeep,
        summary: "list the commands, or explain one",
        arguments: [
            ArgumentDescription("COMMAND", .optional, .command, help: "the command to explain")
        ],
        examples: [
            CommandExample("holdfast help restore", "all about restore")
        ])
}
