/// The completion script for zsh: a function for `compdef`, to be sourced or autoloaded.
struct ZshCompletion {
    let program: ProgramDescription

    var lines: [String] {
        var lines = [
            "#compdef holdfast",
            "# Completion of holdfast in zsh, made by: holdfast completion zsh",
            "_holdfast() {",
            "    local curcontext=\"$curcontext\" state state_descr line ret=1",
            "    local -A opt_args",
            "    local -a global commands",
            "    global=(",
        ]
        lines += (program.globalOptions + [ProgramDescription.help]).map { "        " + spec($0) }
        lines += ["    )", "    commands=("]
        lines += program.commands.flatMap { command in
            command.names.map { "        \(quoted("\($0):\(escaped(command.summary))"))" }
        }
        lines += [
            "    )",
            "    _arguments -C -s -S $global \(spec(ProgramDescription.version)) \\",
            "        '1:command:->command' '*::argument:->argument' && ret=0",
            "    case $state in",
            "        (command) _describe -t commands 'command' commands && ret=0 ;;",
            "        (argument)",
            "            case $words[1] in",
        ]
        lines += program.commands.flatMap(commandCase)
        lines += [
            "            esac ;;",
            "    esac",
            "    return ret",
            "}",
            "if [[ $funcstack[1] == _holdfast ]]; then",
            "    _holdfast \"$@\"",
            "else",
            "    compdef _holdfast holdfast",
            "fi",
        ]
        return lines
    }

    private func commandCase(_ command: CommandDescription) -> [String] {
        var specs = command.options.map(spec)
        for (position, argument) in command.arguments.enumerated() {
            let place =
                switch argument.arity {
                case .required: "\(position + 1):"
                case .optional: "\(position + 1)::"
                case .repeating: "*:"
                }
            specs.append(quoted("\(place)\(argument.name):\(action(argument.kind))"))
        }
        let names = command.names.joined(separator: "|")
        let lines = [
            "                (\(names))", "                    _arguments -s -S $global \\",
        ]
        return lines + specs.map { "                        \($0) \\" }
            + ["                        && ret=0 ;;"]
    }

    /// `'(-r --repo)'{-r+,--repo=}'[help]:LOCATION:_files -/'`, as `_arguments` reads it.
    private func spec(_ option: OptionDescription) -> String {
        let spellings = option.spellings.map { spelling in
            guard option.takesValue else { return spelling }
            return spelling.hasPrefix("--") ? spelling + "=" : spelling + "+"
        }
        let repeats = option.isRepeatable ? "*" : "(\(option.spellings.joined(separator: " ")))"
        var tail = "[\(escaped(option.help))]"
        if let kind = option.valueKind, let placeholder = option.placeholder {
            tail += ":\(placeholder):\(action(kind))"
        }
        guard spellings.count > 1 else { return quoted(repeats + spellings.joined() + tail) }
        return "'\(repeats)'{\(spellings.joined(separator: ","))}\(quoted(tail))"
    }

    private func action(_ kind: ValueKind) -> String {
        if let words = program.words(for: kind) { return "(\(words.joined(separator: " ")))" }
        return switch kind {
        case .directory: "_files -/"
        case .file, .anyPath: "_files"
        case .text, .words, .command: " "
        }
    }

    /// Colons and brackets end a part of a specification.
    private func escaped(_ text: String) -> String {
        text.map { "[]:\\".contains($0) ? "\\\($0)" : "\($0)" }.joined()
    }

    private func quoted(_ text: String) -> String {
        "'"
            + text.split(separator: "'", omittingEmptySubsequences: false)
            .joined(separator: "'\\''") + "'"
    }
}
