import Commands

/// A small program whose command line has one of everything.
enum SampleProgram {
    static let tag = OptionDescription(
        "tag", "label", short: "t", form: .value("TAG", .text), help: "a tag", isRepeatable: true)
    static let level = OptionDescription(
        "level", form: .value("LEVEL", .words(["fast", "balanced", "max"])), help: "a level")
    static let wait = OptionDescription(
        "wait", form: .value("DURATION", .text), help: "a duration")
    static let target = OptionDescription(
        "target", short: "o", form: .value("DIR", .directory), help: "a directory")
    static let dryRun = OptionDescription("dry-run", short: "n", help: "a flag")
    static let oneFileSystem = OptionDescription(
        "one-file-system", short: "x", help: "another flag")

    static let save = CommandDescription(
        "save", aliases: ["store"], group: .backUp, summary: "store paths",
        arguments: [ArgumentDescription("PATH", .repeating, .anyPath, help: "a path")],
        options: [tag, level, wait, target, dryRun, oneFileSystem],
        examples: [CommandExample("holdfast save /srv", "store a path")])
    static let show = CommandDescription(
        "show", group: .goBack, summary: "show a file",
        arguments: [
            ArgumentDescription("WHAT", .required, help: "what to show"),
            ArgumentDescription(
                "FORM", .optional, .words(["long", "short"]), help: "how to show it"),
        ],
        examples: [CommandExample("holdfast show a", "show it")])

    static let description = ProgramDescription(
        summary: "a sample", commands: [save, show], globalOptions: GlobalOptions.all)

    static func parse(_ words: String...) throws(CommandError) -> Invocation {
        try CommandParser(description).parse(words.map { Array($0.utf8) })
    }

    /// The parsed command; an error where the words ask for something else.
    static func command(_ words: [String]) throws -> ParsedCommand {
        let invocation = try CommandParser(description).parse(words.map { Array($0.utf8) })
        guard case .command(let parsed) = invocation else {
            throw CommandError(.failed, "the words are no command: \(words)")
        }
        return parsed
    }
}

/// Words as text, for comparison.
func texts(_ words: [[UInt8]]) -> [String] {
    words.map { String(decoding: $0, as: UTF8.self) }
}
