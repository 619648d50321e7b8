/// The promise of Holdfast that a command serves; help lists the commands under these.
package enum CommandGroup: String, CaseIterable, Sendable {
    case backUp = "Back up"
    case goBack = "Go back"
    case proveIt = "Prove it"
    case standBy = "Stand by"
    case failOver = "Fail over"
    case serve = "Serve"
    case upkeep = "Upkeep"
}

/// One argument of a command, or one repeated argument.
package struct ArgumentDescription: Hashable, Sendable {
    /// How often the argument may stand.
    package enum Arity: Hashable, Sendable {
        case required
        case optional
        /// Any number of times, also none.
        case repeating
    }

    /// The word that help and errors use, in capitals.
    package let name: String
    package let arity: Arity
    package let kind: ValueKind
    /// What it names, in a sentence without a full stop.
    package let help: String

    /// Makes the description of an argument.
    package init(_ name: String, _ arity: Arity, _ kind: ValueKind = .text, help: String) {
        self.name = name
        self.arity = arity
        self.kind = kind
        self.help = help
    }

    /// The argument as the usage line shows it.
    package var usage: String {
        switch arity {
        case .required: name
        case .optional: "[\(name)]"
        case .repeating: "[\(name)…]"
        }
    }
}

/// A command line to show, and what it does.
package struct CommandExample: Hashable, Sendable {
    package let line: String
    package let purpose: String

    /// Makes an example; `line` is a command that runs as written.
    package init(_ line: String, _ purpose: String) {
        self.line = line
        self.purpose = purpose
    }
}

/// All that the parser, help and the shells' completion know of one command.
package struct CommandDescription: Hashable, Sendable {
    package let name: String
    package let aliases: [String]
    package let group: CommandGroup
    /// What it does, in a short sentence without a full stop.
    package let summary: String
    /// The paragraphs of its help.
    package let discussion: [String]
    /// Its arguments in order; only the last one repeats, and none that is required follows an
    /// optional one.
    package let arguments: [ArgumentDescription]
    package let options: [OptionDescription]
    package let examples: [CommandExample]

    /// Makes the description of a command.
    package init(
        _ name: String, aliases: [String] = [], group: CommandGroup, summary: String,
        discussion: [String] = [], arguments: [ArgumentDescription] = [],
        options: [OptionDescription] = [], examples: [CommandExample]
    ) {
        self.name = name
        self.aliases = aliases
        self.group = group
        self.summary = summary
        self.discussion = discussion
        self.arguments = arguments
        self.options = options
        self.examples = examples
    }

    /// The name and the aliases.
    package var names: [String] { [name] + aliases }

    /// The command as the usage line shows it.
    package var usage: String {
        let words = ["holdfast", name, "[OPTION…]"] + arguments.map(\.usage)
        return words.joined(separator: " ")
    }
}
