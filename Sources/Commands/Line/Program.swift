package import Platform

/// The program between its command line and its exit code.
package struct Program: Sendable {
    /// What a command does; an error that is no `CommandError` ends it with code 1 and its text.
    package typealias Run = @Sendable (ParsedCommand, CommandContext) throws -> ExitCode

    /// Where the program runs.
    package struct Surroundings: Sendable {
        let environment: EnvironmentVariables
        let terminal: Terminal
        let output: Output
        let errors: Output
        let zone: LocalZone
        let clock: any Clock

        /// Makes surroundings; tests put their own in.
        package init(
            environment: EnvironmentVariables, terminal: Terminal, output: Output, errors: Output,
            zone: LocalZone, clock: any Clock
        ) {
            self.environment = environment
            self.terminal = terminal
            self.output = output
            self.errors = errors
            self.zone = zone
            self.clock = clock
        }

        /// Those of this process.
        package static func ofProcess(_ clock: any Clock) -> Surroundings {
            let environment = EnvironmentVariables.ofProcess()
            let terminal = Terminal.ofProcess(environment)
            return Surroundings(
                environment: environment, terminal: terminal,
                output: Output(descriptor: 1, isBuffered: !terminal.outputIsTerminal),
                errors: Output(descriptor: 2, isBuffered: false),
                zone: .system(), clock: clock)
        }
    }

    private let description: ProgramDescription
    private let version: String
    private let runs: [String: Run]

    /// Makes the program of what its commands do, by their names; `help` and `completion` it
    /// answers itself.
    package init(_ description: ProgramDescription, version: String, runs: [String: Run]) {
        self.description = description
        self.version = version
        self.runs = runs
    }

    /// The commands that the description has and nobody runs; empty in a program that is whole.
    package var unanswered: [String] {
        description.commands.map(\.name).filter {
            runs[$0] == nil && $0 != HelpCommand.description.name
                && $0 != CompletionCommand.description.name
        }
    }

    /// Does what the words ask for; the answer is the code to exit with.
    package func respond(to words: [[UInt8]], in surroundings: Surroundings) -> ExitCode {
        let speech = Speech(words: words, surroundings: surroundings)
        do {
            switch try CommandParser(description).parse(words) {
            case .bare:
                for line in help(surroundings).ofProgram() { surroundings.errors.line(line) }
                return .usage
            case .help(let command):
                return speech.answer(helpLines(of: command, surroundings))
            case .version:
                return speech.answer(["holdfast \(version)"])
            case .command(let parsed):
                return try respond(to: parsed, surroundings, speech)
            }
        } catch {
            return speech.fail(error)
        }
    }

    private func respond(
        to parsed: ParsedCommand, _ surroundings: Surroundings, _ speech: Speech
    ) throws(CommandError) -> ExitCode {
        if parsed.command == HelpCommand.description {
            let named = try parsed.arguments.first.map { word throws(CommandError) in
                try CommandLookup(program: description).command(named: word)
            }
            return speech.answer(helpLines(of: named, surroundings))
        }
        if parsed.command == CompletionCommand.description {
            let shell = CompletionShell(rawValue: try parsed.argumentText(0) ?? "") ?? .bash
            return speech.answer([shell.script(of: description)])
        }
        let settings = try CommandSettings(parsed, surroundings.environment)
        return run(parsed, settings, surroundings)
    }

    private func run(
        _ parsed: ParsedCommand, _ settings: CommandSettings, _ surroundings: Surroundings
    ) -> ExitCode {
        let style = ProgressLine.Style(settings.voice, surroundings.terminal)
        let progress = ProgressLine(
            style: style, output: style == .json ? surroundings.output : surroundings.errors,
            clock: surroundings.clock, perSecond: settings.progressPerSecond,
            width: surroundings.terminal.width)
        let report = Report(
            voice: settings.voice, terminal: surroundings.terminal, output: surroundings.output,
            errors: surroundings.errors, progress: progress)
        let context = CommandContext(
            settings: settings, report: report, progress: progress,
            terminal: surroundings.terminal, zone: surroundings.zone, clock: surroundings.clock)
        do {
            guard let run = runs[parsed.command.name] else {
                throw CommandError(
                    .failed, "\(parsed.command.name) is described, but nobody runs it")
            }
            return report.finish(try run(parsed, context))
        } catch {
            let failure = error as? CommandError ?? CommandError(.failed, "\(error)")
            report.failure(failure)
            return report.finish(failure.code)
        }
    }

    private func help(_ surroundings: Surroundings) -> HelpText {
        HelpText(description, width: surroundings.terminal.width())
    }

    private func helpLines(
        of command: CommandDescription?, _ surroundings: Surroundings
    ) -> [String] {
        let help = help(surroundings)
        return command.map(help.of) ?? help.ofProgram()
    }
}

/// How the program speaks before it knows what the options say.
private struct Speech {
    let report: Report

    init(words: [[UInt8]], surroundings: Program.Surroundings) {
        // A command line that cannot be read still fails in the form that its caller reads.
        let json = words.prefix { $0 != Array("--".utf8) }.contains(Array("--json".utf8))
        report = Report(
            voice: Voice(isJSON: json), terminal: surroundings.terminal,
            output: surroundings.output, errors: surroundings.errors)
    }

    func answer(_ lines: [String]) -> ExitCode {
        for line in lines { report.answer(bytes: Array((line + "\n").utf8)) }
        return report.finish(.done)
    }

    func fail(_ error: CommandError) -> ExitCode {
        report.failure(error)
        return report.finish(error.code)
    }
}
