/// The completion script for bash 4.4 and later; it needs no bash-completion.
///
/// Files are left to readline (`compopt -o default`), which alone quotes names correctly.
struct BashCompletion {
    let program: ProgramDescription

    var lines: [String] {
        ["# Completion of holdfast in bash, made by: holdfast completion bash"]
            + valueFunction + optionFunction + argumentFunction + mainFunction
            + ["complete -F _holdfast holdfast"]
    }

    /// Sets `kind` to what option $2 of command $1 takes; fails for one without a value.
    private var valueFunction: [String] {
        var lines = ["_holdfast_value() {", "    case \"$1 $2\" in"]
        for command in program.commands {
            for option in command.options {
                guard let kind = option.valueKind else { continue }
                let patterns = command.names.flatMap { name in
                    option.spellings.map { "'\(name) \($0)'" }
                }
                lines.append("        \(patterns.joined(separator: "|"))) \(setting(kind)) ;;")
            }
        }
        for option in program.globalOptions {
            guard let kind = option.valueKind else { continue }
            let patterns = option.spellings.map { "*' \($0)'" }
            lines.append("        \(patterns.joined(separator: "|"))) \(setting(kind)) ;;")
        }
        return lines + ["        *) return 1 ;;", "    esac", "}"]
    }

    /// Sets `words` to the options of command $1.
    private var optionFunction: [String] {
        var lines = ["_holdfast_options() {", "    case \"$1\" in"]
        for command in program.commands {
            let words = program.options(of: command).flatMap(\.spellings)
            lines.append("        \(patterns(command))) words='\(joined(words))' ;;")
        }
        let words = program.options(of: nil).flatMap(\.spellings)
        return lines + ["        *) words='\(joined(words))' ;;", "    esac", "}"]
    }

    /// Sets `kind` to what argument $2 (from 0) of command $1 is.
    private var argumentFunction: [String] {
        var lines = ["_holdfast_argument() {", "    case \"$1 $2\" in"]
        for command in program.commands {
            for (position, argument) in command.arguments.enumerated() {
                let place = argument.arity == .repeating ? "'*" : "\(position)'"
                let patterns = command.names.map { "'\($0) \(place)" }.joined(separator: "|")
                lines.append("        \(patterns)) \(setting(argument.kind)) ;;")
            }
        }
        return lines + ["        *) kind=text ;;", "    esac", "}"]
    }

    private var mainFunction: [String] {
        let commands = program.commands.flatMap(\.names).joined(separator: " ")
        return Self.mainTemplate.split(separator: "\n", omittingEmptySubsequences: false).map {
            $0 == "COMMANDS" ? "        words='\(commands)'" : String($0)
        }
    }

    private func setting(_ kind: ValueKind) -> String {
        if let words = program.words(for: kind) { return "kind=words words='\(joined(words))'" }
        return switch kind {
        case .directory: "kind=directory"
        case .file, .anyPath: "kind=file"
        case .text, .words, .command: "kind=text"
        }
    }

    private func patterns(_ command: CommandDescription) -> String {
        command.names.joined(separator: "|")
    }

    private func joined(_ words: [String]) -> String {
        words.joined(separator: " ")
    }

    /// Walks the words before the cursor. Bash makes the `=` of `--name=value` a word of its own.
    private static let mainTemplate = """
        _holdfast() {
            local IFS=$' \\t\\n'
            local cur="${COMP_WORDS[COMP_CWORD]}" word command="" past="" kind="" words=""
            local -i index=1 count=0
            COMPREPLY=()
            while ((index < COMP_CWORD)); do
                word="${COMP_WORDS[index]}"
                if [[ -n $past || $word != -?* ]]; then
                    if [[ -z $command ]]; then command="$word"; else count+=1; fi
                elif [[ $word == -- ]]; then
                    past=yes
                elif _holdfast_value "$command" "$word"; then
                    if [[ ${COMP_WORDS[index + 1]} == "=" ]]; then index+=1; fi
                    index+=1
                    if ((index < COMP_CWORD)); then kind="" words=""; fi
                fi
                index+=1
            done
            if [[ -n $kind ]]; then
                if [[ $cur == "=" ]]; then cur=""; fi
            elif [[ -z $past && $cur == -* ]]; then
                kind=words
                _holdfast_options "$command"
            elif [[ -z $command ]]; then
                kind=words
        COMMANDS
            else
                _holdfast_argument "$command" "$count"
            fi
            case "$kind" in
                words) COMPREPLY=($(compgen -W "$words" -- "$cur")) ;;
                directory) compopt -o dirnames ;;
                file) compopt -o default ;;
            esac
        }
        """
}
