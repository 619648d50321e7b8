import Commands
import Platform
import Testing

@Suite struct ProgramTests {
    let output = Page()
    let errors = Page()

    func respond(
        _ words: [String], variables: [String: String] = ["HOME": "/home/u"],
        run: @escaping Program.Run = { _, _ in .done }
    ) -> ExitCode {
        let program = Program(.holdfast, version: "1.2.3", runs: ["snapshots": run])
        let surroundings = Program.Surroundings(
            environment: EnvironmentVariables(variables),
            terminal: Terminal(outputIsTerminal: false, errorIsTerminal: false),
            output: output.output(isBuffered: true), errors: errors.output(), zone: .utc,
            clock: HandClock())
        return program.respond(to: words.map { Array($0.utf8) }, in: surroundings)
    }

    @Test func withoutACommandHelpGoesToStandardErrorWithCodeTwo() {
        #expect(respond([]) == .usage)
        #expect(output.text == "")
        #expect(errors.text.contains("usage: holdfast COMMAND"))
    }

    @Test(arguments: [["help"], ["--help"], ["-h"]]) func helpIsAnAnswer(_ words: [String]) {
        #expect(respond(words) == .done)
        #expect(output.text.contains("usage: holdfast COMMAND"))
        #expect(errors.text == "")
    }

    @Test(arguments: [["help", "check"], ["verify", "--help"], ["check", "-h"]])
    func helpOfACommandIsAnAnswer(_ words: [String]) {
        #expect(respond(words) == .done)
        #expect(output.text.hasPrefix("usage: holdfast verify [OPTION…]\n"))
    }

    @Test func theVersionIsAnAnswerWhateverTheVariables() {
        #expect(respond(["--version"], variables: ["HOLDFAST_NONSENSE": "1"]) == .done)
        #expect(output.text == "holdfast 1.2.3\n")
    }

    @Test func aCommandIsRunWithItsSettings() {
        let code = respond(["snapshots", "-r", "/repo", "--json", "--latest=2"]) {
            parsed, context in
            let latest = try parsed.number(SnapshotsCommand.latest, in: 1...9)
            let repository = try context.settings.repository()
            #expect(latest == 2 && repository == FilePath("/repo"))
            context.report.answer(JSONLine("summary"))
            return .incomplete
        }
        #expect(code == .incomplete)
        #expect(output.text == "{\"message_type\":\"summary\"}\n")
    }

    @Test func anErrorEndsTheCommandWithItsCode() {
        let code = respond(["snapshots"]) { _, _ in
            throw CommandError(
                .noRepository, "no repository at /x", hint: "holdfast init makes one")
        }
        #expect(code == .noRepository)
        #expect(
            errors.lines == ["holdfast: no repository at /x", "hint: holdfast init makes one"])
    }

    @Test func anyOtherErrorFails() {
        struct Odd: Error, CustomStringConvertible { var description: String { "odd thing" } }
        #expect(respond(["snapshots"]) { _, _ in throw Odd() } == .failed)
        #expect(errors.lines == ["holdfast: odd thing"])
    }

    @Test func aMistakeUnderJSONIsAnExitError() {
        #expect(respond(["snapshots", "--json", "--hots", "x"]) == .usage)
        #expect(
            errors.text.hasPrefix(#"{"message_type":"exit_error","code":2,"message":"unknown"#))
        #expect(output.text == "")
    }

    @Test func aMistakenVariableStopsACommand() {
        #expect(respond(["snapshots"], variables: ["HOLDFAST_HOSTS": "x"]) == .usage)
        #expect(errors.lines.last == "hint: did you mean HOLDFAST_HOST?")
    }

    @Test func helpOfAnUnknownCommandNamesTheNearest() {
        #expect(respond(["help", "snapshot"]) == .usage)
        #expect(errors.lines.last == "hint: did you mean holdfast snapshots?")
    }

    @Test func whatNobodyRunsIsKnown() {
        let program = Program(.holdfast, version: "", runs: ["init": { _, _ in .done }])
        #expect(program.unanswered.contains("backup"))
        #expect(!program.unanswered.contains("init"))
        #expect(!program.unanswered.contains("help"))
    }

    @Test(arguments: ["bash", "zsh", "fish"]) func aCompletionScriptIsAnAnswer(_ shell: String) {
        #expect(respond(["completion", shell]) == .done)
        #expect(output.text.contains("completion \(shell)"))
    }
}
