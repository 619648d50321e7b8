import Commands
import Testing

@Suite struct DescriptionTests {
    static let program = ProgramDescription.holdfast

    @Test func noNameIsTakenTwice() {
        let names = Self.program.commands.flatMap(\.names)
        #expect(Set(names).count == names.count)
        for command in Self.program.commands {
            let spellings = Self.program.options(of: command).flatMap(\.spellings)
            #expect(Set(spellings).count == spellings.count, "\(command.name)")
        }
    }

    @Test(arguments: program.commands)
    func onlyTheLastArgumentRepeatsAndNoneRequiredFollowsAnother(_ command: CommandDescription) {
        let arities = command.arguments.map(\.arity)
        #expect(!arities.dropLast().contains(.repeating))
        #expect(!arities.drop { $0 == .required }.contains(.required))
    }

    @Test(arguments: program.commands)
    func eachExampleRunsAsWritten(_ command: CommandDescription) throws {
        #expect(!command.examples.isEmpty)
        for example in command.examples {
            let words = Self.words(of: example.line)
            #expect(words.first == "holdfast", "\(example.line)")
            let invocation = try CommandParser(Self.program).parse(
                words.dropFirst().map { Array($0.utf8) })
            guard case .command(let parsed) = invocation else {
                Issue.record("\(example.line) is no command")
                continue
            }
            #expect(parsed.command == command)
        }
    }

    @Test func helpNamesEveryCommandVariableAndExitCode() {
        let text = HelpText(Self.program).ofProgram().joined(separator: "\n")
        for command in Self.program.commands { #expect(text.contains("  \(command.name)")) }
        for group in ["Back up:", "Go back:", "Prove it:", "Upkeep:", "Exit codes:"] {
            #expect(text.contains("\n\(group)\n"))
        }
        #expect(!text.contains("Stand by"))
        for variable in HoldfastVariables.descriptions { #expect(text.contains(variable.name)) }
        for code in ExitCode.allCases { #expect(text.contains(code.meaning.prefix(30))) }
    }

    @Test(arguments: program.commands, [60, 80, 100])
    func helpOfACommandNamesAllItTakesAndFits(_ command: CommandDescription, _ width: Int) {
        let lines = HelpText(Self.program, width: width).of(command)
        let text = lines.joined(separator: "\n")
        #expect(lines[0] == "usage: \(command.usage)")
        for option in Self.program.options(of: command) {
            for spelling in option.spellings { #expect(text.contains(spelling)) }
        }
        for example in command.examples { #expect(text.contains(example.line)) }
        let prose = lines.dropFirst().prefix { $0 != "Examples:" }
        #expect(prose.allSatisfy { $0.count <= width })
    }

    /// The words of a line for a shell: quotes, and what a redirection or a substitution leaves.
    private static func words(of line: String) -> [String] {
        var text = line
        if line.hasPrefix("source <(") { text = String(line.dropFirst(9).dropLast()) }
        var words: [String] = []
        for (index, part) in text.split(separator: "'", omittingEmptySubsequences: false)
            .enumerated()
        {
            if index % 2 == 1 {
                words.append(String(part))
            } else {
                words += part.split(separator: " ").map(String.init)
            }
        }
        return Array(words.prefix { $0 != ">" })
    }
}
