/// What stands where a value is expected: what may be said there, and what a shell may offer.
package enum ValueKind: Hashable, Sendable {
    /// Any text.
    case text
    /// The path of a file.
    case file
    /// The path of a directory.
    case directory
    /// Paths of files and directories.
    case anyPath
    /// One of these words, and nothing else.
    case words([String])
    /// The name of a command.
    case command
}

/// Whether an option carries a value.
package enum OptionForm: Hashable, Sendable {
    /// It is there or not.
    case flag
    /// It takes a value; the placeholder is the word that help shows for it.
    case value(_ placeholder: String, ValueKind)
}

/// One option: how it is written, what it takes, and what it does.
package struct OptionDescription: Hashable, Sendable {
    /// Its long names without dashes; the first is the one that errors and help use.
    package let names: [String]
    /// Its one-letter name, if it has one.
    package let short: Character?
    /// Whether it takes a value.
    package let form: OptionForm
    /// What it does, in a sentence without a full stop.
    package let help: String
    /// Whether it may be given more than once.
    package let isRepeatable: Bool
    /// The variable that says the same where the option is absent.
    package let variable: String?

    /// Makes the description of an option.
    package init(
        _ names: String..., short: Character? = nil, form: OptionForm = .flag, help: String,
        isRepeatable: Bool = false, variable: String? = nil
    ) {
        self.names = names
        self.short = short
        self.form = form
        self.help = help
        self.isRepeatable = isRepeatable
        self.variable = variable
    }

    /// Its first long name without dashes.
    package var name: String { names.first ?? "" }

    /// The option as it is spoken of in messages: `--name`.
    package var spelling: String { "--" + name }

    /// Whether a value must follow it.
    package var takesValue: Bool { form != .flag }

    /// The word that help shows for its value.
    package var placeholder: String? {
        if case .value(let placeholder, _) = form { placeholder } else { nil }
    }

    /// What its value is; nil for a flag.
    package var valueKind: ValueKind? {
        if case .value(_, let kind) = form { kind } else { nil }
    }

    /// All ways to write it, short ones first: `-n`, `--dry-run`.
    package var spellings: [String] {
        (short.map { ["-\($0)"] } ?? []) + names.map { "--" + $0 }
    }
}
