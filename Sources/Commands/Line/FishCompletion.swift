/// The completion script for fish 3 and later.
struct FishCompletion {
    let program: ProgramDescription

    var lines: [String] {
        var lines = ["# Completion of holdfast in fish, made by: holdfast completion fish"]
        lines += commandFunction
        lines += ["complete -c holdfast -f"]
        lines += program.commands.flatMap { command in
            command.names.map {
                "complete -c holdfast -n __holdfast_begins -a \($0) -d \(quoted(command.summary))"
            }
        }
        lines += (program.globalOptions + [ProgramDescription.help]).map { line($0, "") }
        lines.append(line(ProgramDescription.version, "-n __holdfast_begins "))
        lines += program.commands.flatMap { self.lines(of: $0) }
        return lines
    }

    /// Prints the command among the words before the cursor; fails where there is none yet.
    private var commandFunction: [String] {
        let valued = program.globalOptions.filter(\.takesValue).flatMap(\.spellings)
        return [
            "function __holdfast_command",
            "    set -l words (commandline -opc)",
            "    set -l skip no",
            "    for word in $words[2..-1]",
            "        if test $skip = yes",
            "            set skip no",
            "            continue",
            "        end",
            "        switch $word",
            "            case \(valued.joined(separator: " "))",
            "                set skip yes",
            "            case '-*'",
            "            case '*'",
            "                echo $word",
            "                return 0",
            "        end",
            "    end",
            "    return 1",
            "end",
            "function __holdfast_begins",
            "    not __holdfast_command >/dev/null",
            "end",
            "function __holdfast_in",
            "    set -l command (__holdfast_command)",
            "    and contains -- $command $argv",
            "end",
        ]
    }

    private func lines(of command: CommandDescription) -> [String] {
        let condition = "-n \(quoted("__holdfast_in " + command.names.joined(separator: " "))) "
        let options = command.options.map { line($0, condition) }
        let arguments = command.arguments.compactMap { argument in
            offer(argument.kind).map { "complete -c holdfast \(condition)\($0)" }
        }
        return options + arguments
    }

    private func line(_ option: OptionDescription, _ condition: String) -> String {
        var line = "complete -c holdfast \(condition)"
        if let short = option.short { line += "-s \(short) " }
        for name in option.names { line += "-l \(name) " }
        if let kind = option.valueKind {
            // -x: a value must follow, and is no file unless -F says so.
            line += kind == .file || kind == .anyPath ? "-r -F " : "-x "
            if let offer = offer(kind), offer != "-F" { line += offer + " " }
        }
        return line + "-d \(quoted(option.help))"
    }

    private func offer(_ kind: ValueKind) -> String? {
        if let words = program.words(for: kind) {
            return "-a \(quoted(words.joined(separator: " ")))"
        }
        return switch kind {
        case .directory: "-a '(__fish_complete_directories)'"
        case .file, .anyPath: "-F"
        case .text, .words, .command: nil
        }
    }

    private func quoted(_ text: String) -> String {
        "'" + text.map { "'\\".contains($0) ? "\\\($0)" : "\($0)" }.joined() + "'"
    }
}
