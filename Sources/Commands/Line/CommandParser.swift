/// What a command line asks of the program.
package enum Invocation: Sendable {
    /// Nothing: help goes to standard error.
    case bare
    /// The help of a command, or of the program.
    case help(CommandDescription?)
    /// The version.
    case version
    /// To run a command.
    case command(ParsedCommand)
}

/// Reads a command line by the descriptions of the commands.
///
/// `--name value`, `--name=value`, `-n value`, `-nvalue`, `-n=value`; flags of one letter may be
/// bundled, the last of the bundle may take a value; `--` ends the options. Options and arguments
/// may be mixed. Words are bytes, since a path need not be UTF-8.
package struct CommandParser: Sendable {
    private let program: ProgramDescription

    /// Makes a parser of the program's command lines.
    package init(_ program: ProgramDescription) {
        self.program = program
    }

    /// What the words (without the program's own name) ask for.
    ///
    /// Throws a usage error that names the word at fault.
    package func parse(_ words: [[UInt8]]) throws(CommandError) -> Invocation {
        var reading = LineReading(words: words)
        while let word = reading.next() {
            if reading.isPastOptions || !Self.isOption(word) {
                try take(argument: word, &reading)
            } else if word == Array("--".utf8) {
                reading.isPastOptions = true
            } else if let answer = try takeOption(word, &reading) {
                return answer
            }
        }
        guard let command = reading.command else { return .bare }
        try ArgumentCheck(command: command).check(reading.arguments)
        return .command(
            ParsedCommand(
                command: command, program: program, given: reading.given,
                arguments: reading.arguments, argumentsPastOptions: reading.argumentsPastOptions))
    }

    private static func isOption(_ word: [UInt8]) -> Bool {
        word.count > 1 && word.first == UInt8(ascii: "-")
    }

    private func take(argument word: [UInt8], _ reading: inout LineReading) throws(CommandError) {
        if reading.command != nil {
            reading.arguments.append(word)
            if reading.isPastOptions { reading.argumentsPastOptions.append(word) }
        } else {
            reading.command = try CommandLookup(program: program).command(named: word)
        }
    }

    /// Reads a word of options and the value it takes; the answer is what ends the reading at once.
    private func takeOption(
        _ word: [UInt8], _ reading: inout LineReading
    ) throws(CommandError) -> Invocation? {
        let lookup = OptionLookup(program: program, command: reading.command)
        let isLong = word.starts(with: "--".utf8)
        let found = try isLong ? lookup.long(word) : lookup.bundle(word)
        for (option, attached) in found {
            switch option {
            case ProgramDescription.help: return .help(reading.command)
            case ProgramDescription.version: return .version
            default: break
            }
            let value = try value(of: option, attached: attached, &reading, lookup)
            try reading.given.add(option, value)
        }
        return nil
    }

    private func value(
        of option: OptionDescription, attached: [UInt8]?, _ reading: inout LineReading,
        _ lookup: OptionLookup
    ) throws(CommandError) -> [UInt8]? {
        guard let kind = option.valueKind, let placeholder = option.placeholder else {
            guard attached == nil else {
                throw .usage("option \(option.spelling) takes no value")
            }
            return nil
        }
        guard let value = attached ?? reading.next() else {
            throw .usage("option \(option.spelling) needs a value: \(placeholder)")
        }
        // A forgotten value would otherwise swallow the option after it.
        if attached == nil, lookup.isSpelling(value) {
            let shown = PathText.shown(value)
            throw .usage(
                "option \(option.spelling) needs a value, but \(shown) follows it",
                hint: "write \(option.spelling)=\(shown) if that is the value")
        }
        try kind.check(value, of: "option \(option.spelling)")
        return value
    }
}

/// How far a command line was read, and what it said so far.
private struct LineReading {
    private let words: [[UInt8]]
    private var position = 0
    var command: CommandDescription?
    var given = GivenOptions()
    var arguments: [[UInt8]] = []
    var argumentsPastOptions: [[UInt8]] = []
    var isPastOptions = false

    init(words: [[UInt8]]) {
        self.words = words
    }

    mutating func next() -> [UInt8]? {
        guard position < words.count else { return nil }
        defer { position += 1 }
        return words[position]
    }
}
