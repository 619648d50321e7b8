package import Platform

/// The options that a command line gave, by name.
struct GivenOptions: Sendable {
    private var values: [String: [[UInt8]]] = [:]

    /// Notes an option; throws a usage error when it stood before and does not repeat.
    mutating func add(_ option: OptionDescription, _ value: [UInt8]?) throws(CommandError) {
        if values[option.name] != nil, !option.isRepeatable {
            throw .usage("option \(option.spelling) was given twice")
        }
        values[option.name, default: []].append(value ?? [])
    }

    func values(of option: OptionDescription) -> [[UInt8]] {
        values[option.name] ?? []
    }
}

/// A command line that agrees with its command's description.
package struct ParsedCommand: Sendable {
    /// The command it names.
    package let command: CommandDescription
    /// Its arguments in order, also those after `--`.
    package let arguments: [[UInt8]]
    /// The arguments that stood after `--`.
    package let argumentsPastOptions: [[UInt8]]
    private let program: ProgramDescription
    private let given: GivenOptions

    init(
        command: CommandDescription, program: ProgramDescription, given: GivenOptions,
        arguments: [[UInt8]], argumentsPastOptions: [[UInt8]]
    ) {
        self.command = command
        self.program = program
        self.given = given
        self.arguments = arguments
        self.argumentsPastOptions = argumentsPastOptions
    }

    /// The option's values in order, as bytes; empty when it was not given.
    package func values(of option: OptionDescription) -> [[UInt8]] {
        assert(program.options(of: command).contains(option), "\(option.name) is not described")
        return given.values(of: option)
    }

    /// Whether the option was given.
    package func has(_ option: OptionDescription) -> Bool {
        !values(of: option).isEmpty
    }

    /// How often the option was given.
    package func count(_ option: OptionDescription) -> Int {
        values(of: option).count
    }

    /// The option's value as a path, or nil; throws a usage error when it is empty.
    package func path(_ option: OptionDescription) throws(CommandError) -> FilePath? {
        try paths(option).first
    }

    /// The option's values as paths; throws a usage error when one is empty.
    package func paths(_ option: OptionDescription) throws(CommandError) -> [FilePath] {
        var paths: [FilePath] = []
        for value in values(of: option) {
            guard !value.isEmpty else {
                throw .usage("option \(option.spelling) names no path: its value is empty")
            }
            paths.append(FilePath(bytes: value))
        }
        return paths
    }

    /// The option's value as text, or nil; throws a usage error when it is not UTF-8.
    package func text(_ option: OptionDescription) throws(CommandError) -> String? {
        try texts(option).first
    }

    /// The option's values as text; throws a usage error when one is not UTF-8.
    package func texts(_ option: OptionDescription) throws(CommandError) -> [String] {
        var texts: [String] = []
        for value in values(of: option) {
            texts.append(try Self.text(value, of: "option \(option.spelling)"))
        }
        return texts
    }

    /// The argument at a position as text, or nil where there is none; throws a usage error when
    /// it is not UTF-8.
    package func argumentText(_ position: Int) throws(CommandError) -> String? {
        guard position < arguments.count else { return nil }
        let name = command.arguments[min(position, command.arguments.count - 1)].name
        return try Self.text(arguments[position], of: name)
    }

    private static func text(
        _ value: [UInt8], of subject: String
    ) throws(CommandError) -> String {
        guard let text = String(validating: value, as: UTF8.self) else {
            throw .usage("\(subject) is not UTF-8: \(PathText.shown(value))")
        }
        return text
    }
}
