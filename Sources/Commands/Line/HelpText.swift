/// What `--help` and `holdfast help` print.
package struct HelpText: Sendable {
    private let program: ProgramDescription
    private let width: Int

    /// Makes the help of a program for lines of at most `width` columns, 60 to 100.
    package init(_ program: ProgramDescription, width: Int = 80) {
        self.program = program
        self.width = max(60, min(width, 100))
    }

    /// The help of the whole program: its commands by the promise they serve, the options of all,
    /// the variables, and the exit codes.
    package func ofProgram() -> [String] {
        var lines = ["holdfast: \(program.summary)", ""]
        lines += ["usage: holdfast COMMAND [OPTION…] [ARGUMENT…]"]
        let longest = program.commands.map(\.name.count).max() ?? 0
        for group in CommandGroup.allCases {
            let commands = program.commands.filter { $0.group == group }
            guard !commands.isEmpty else { continue }
            lines += ["", "\(group.rawValue):"]
            lines += list(commands.map { ($0.name, $0.summary) }, longest: longest)
        }
        lines += section("Options of every command", program.options(of: nil).map(entry))
        lines += section(
            "Variables", HoldfastVariables.descriptions.map { ($0.name, $0.help) })
        lines += section(
            "Exit codes", ExitCode.allCases.map { ("\($0.rawValue)", $0.meaning) })
        return lines + ["", "holdfast help COMMAND tells more of a command."]
    }

    /// The help of one command.
    package func of(_ command: CommandDescription) -> [String] {
        var lines = ["usage: \(command.usage)", ""]
        let summary = command.summary.prefix(1).uppercased() + command.summary.dropFirst() + "."
        lines += Self.wrapped(summary, width: width)
        for paragraph in command.discussion {
            lines += [""] + Self.wrapped(paragraph, width: width)
        }
        if !command.aliases.isEmpty {
            lines += ["", "Also: " + command.aliases.joined(separator: ", ")]
        }
        lines += section("Arguments", command.arguments.map { ($0.usage, $0.help) })
        lines += section("Options", command.options.map(entry))
        lines += section(
            "Options of every command",
            (program.globalOptions + [ProgramDescription.help]).map(entry))
        lines += ["", "Examples:"]
        for example in command.examples {
            lines += ["  # \(example.purpose)", "  \(example.line)"]
        }
        return lines
    }

    private func section(_ title: String, _ entries: [(String, String)]) -> [String] {
        entries.isEmpty ? [] : ["", "\(title):"] + list(entries)
    }

    private func entry(_ option: OptionDescription) -> (String, String) {
        var term = option.short.map { "-\($0), " } ?? "    "
        term += option.names.map { "--" + $0 }.joined(separator: ", ")
        term += option.placeholder.map { " " + $0 } ?? ""
        var help = option.help
        if case .words(let words)? = option.valueKind {
            help += ": \(words.joined(separator: ", "))"
        }
        if option.isRepeatable, option.takesValue { help += "; repeatable" }
        if let variable = option.variable { help += " [\(variable)]" }
        return (term, help)
    }

    /// Terms and what they mean, in two columns; a long term has a line of its own.
    private func list(_ entries: [(String, String)], longest: Int? = nil) -> [String] {
        let longest = longest ?? entries.map(\.0.count).filter { $0 <= 26 }.max() ?? 0
        let indent = 2 + longest + 2
        return entries.flatMap { term, meaning in
            let meanings = Self.wrapped(meaning, width: max(20, width - indent))
            let padding = String(repeating: " ", count: indent)
            let beneath = meanings.map { padding + $0 }
            guard term.count <= longest, let first = meanings.first else {
                return ["  " + term] + beneath
            }
            let gap = String(repeating: " ", count: indent - 2 - term.count)
            return ["  " + term + gap + first] + beneath.dropFirst()
        }
    }

    /// The text in lines of at most `width` columns, broken at spaces.
    static func wrapped(_ text: String, width: Int) -> [String] {
        var lines: [String] = []
        var line = ""
        for word in text.split(separator: " ") {
            if !line.isEmpty, line.count + 1 + word.count > width {
                lines.append(line)
                line = ""
            }
            line += (line.isEmpty ? "" : " ") + word
        }
        return line.isEmpty ? lines : lines + [line]
    }
}
