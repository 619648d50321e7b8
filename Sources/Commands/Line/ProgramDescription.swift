/// All that can be said to the program: its commands and the options that each of them takes.
package struct ProgramDescription: Hashable, Sendable {
    /// What the program is, in a sentence without a full stop.
    package let summary: String
    package let commands: [CommandDescription]
    /// The options that may stand before and after every command's name.
    package let globalOptions: [OptionDescription]

    /// `--help` and `-h`, which every command takes.
    package static let help = OptionDescription(
        "help", short: "h", help: "print this help")

    /// `--version`, which stands in place of a command.
    package static let version = OptionDescription("version", help: "print the version")

    /// Makes the description of a program.
    package init(
        summary: String, commands: [CommandDescription], globalOptions: [OptionDescription]
    ) {
        self.summary = summary
        self.commands = commands
        self.globalOptions = globalOptions
    }

    /// The command of that name or alias.
    package func command(named name: String) -> CommandDescription? {
        commands.first { $0.names.contains(name) }
    }

    /// The options that may stand before the command's name (nil), or after it.
    package func options(of command: CommandDescription?) -> [OptionDescription] {
        guard let command else { return globalOptions + [Self.help, Self.version] }
        return command.options + globalOptions + [Self.help]
    }
}
