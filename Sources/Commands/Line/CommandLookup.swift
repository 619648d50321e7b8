/// Finds the command a word names.
struct CommandLookup {
    let program: ProgramDescription

    /// The command of that name or alias; throws a usage error that names the nearest one.
    func command(named word: [UInt8]) throws(CommandError) -> CommandDescription {
        let name = String(decoding: word, as: UTF8.self)
        if let command = program.command(named: name) { return command }
        let nearest = NearestName.of(name, among: program.commands.flatMap(\.names))
        throw .usage(
            "unknown command \(PathText.shown(word))",
            hint: nearest.map { "did you mean holdfast \($0)?" }
                ?? "holdfast help lists the commands")
    }
}

/// Finds the options that a word of the command line names.
struct OptionLookup {
    let program: ProgramDescription
    /// The command read so far; before it only global options stand.
    let command: CommandDescription?

    /// An option and the value that stood in the same word.
    typealias Found = (option: OptionDescription, attached: [UInt8]?)

    private var options: [OptionDescription] { program.options(of: command) }

    /// Reads `--name` or `--name=value`.
    func long(_ word: [UInt8]) throws(CommandError) -> [Found] {
        let text = word.dropFirst(2)
        let name = text.prefix { $0 != UInt8(ascii: "=") }
        let attached = name.count < text.count ? Array(text.dropFirst(name.count + 1)) : nil
        let wanted = String(decoding: name, as: UTF8.self)
        guard let option = options.first(where: { $0.names.contains(wanted) }) else {
            throw unknown("--" + wanted, shown: "--" + PathText.shown(Array(name)))
        }
        return [(option, attached)]
    }

    /// Reads `-n`, `-nvalue`, `-n=value`, or several flags in one word.
    func bundle(_ word: [UInt8]) throws(CommandError) -> [Found] {
        var found: [Found] = []
        var rest = word.dropFirst()
        while let letter = rest.first {
            let name = Character(Unicode.Scalar(letter))
            guard letter < 0x80, let option = options.first(where: { $0.short == name }) else {
                throw unknown("-\(name)", shown: "-" + PathText.shown(Array(rest.prefix(1))))
            }
            rest = rest.dropFirst()
            let isAssignment = rest.first == UInt8(ascii: "=")
            guard option.takesValue || isAssignment else {
                found.append((option, nil))
                continue
            }
            if isAssignment { rest = rest.dropFirst() }
            found.append((option, isAssignment || !rest.isEmpty ? Array(rest) : nil))
            break
        }
        return found
    }

    /// Whether the word is one of the options as it is written.
    func isSpelling(_ word: [UInt8]) -> Bool {
        let text = String(decoding: word, as: UTF8.self)
        return options.contains { $0.spellings.contains(text) }
    }

    private func unknown(_ spelling: String, shown: String) -> CommandError {
        guard let command else { return unknownBeforeCommand(spelling, shown: shown) }
        let known = options.flatMap { $0.names.map { "--" + $0 } }
        let nearest = spelling.hasPrefix("--") ? NearestName.of(spelling, among: known) : nil
        return .usage(
            "unknown option \(shown) of holdfast \(command.name)",
            hint: nearest.map { "did you mean \($0)?" }
                ?? "holdfast \(command.name) --help lists its options")
    }

    private func unknownBeforeCommand(_ spelling: String, shown: String) -> CommandError {
        let belongsToCommand = program.commands.contains { command in
            command.options.contains { $0.spellings.contains(spelling) }
        }
        if belongsToCommand {
            return .usage(
                "option \(shown) stands before the command it belongs to",
                hint: "write it after the command's name")
        }
        let known = options.flatMap { $0.names.map { "--" + $0 } }
        let nearest = spelling.hasPrefix("--") ? NearestName.of(spelling, among: known) : nil
        return .usage(
            "unknown option \(shown)",
            hint: nearest.map { "did you mean \($0)?" } ?? "holdfast help lists the options")
    }
}
