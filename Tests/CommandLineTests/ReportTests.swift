import Commands
import Testing

@Suite struct ReportTests {
    static let cron = Terminal(outputIsTerminal: false, errorIsTerminal: false)
    static let person = Terminal(outputIsTerminal: true, errorIsTerminal: true)

    let output = Page()
    let errors = Page()

    func report(_ terminal: Terminal, _ voice: Voice = Voice()) -> Report {
        Report(
            voice: voice, terminal: terminal, output: output.output(isBuffered: true),
            errors: errors.output())
    }

    @Test func fromCronSuccessIsSilent() {
        let report = report(Self.cron)
        report.note("snapshot 40dc1520 saved")
        report.detail("new /srv/a")
        #expect(report.finish(.done) == .done)
        #expect(output.text == "" && errors.text == "")
    }

    @Test func fromCronFailureTellsTheWholeStory() {
        let report = report(Self.cron)
        report.note("Files: 3 new")
        report.warning("permission denied", during: "archival", item: Array("/srv/a\n".utf8))
        report.note("snapshot 40dc1520 saved")
        #expect(report.finish(.incomplete) == .incomplete)
        #expect(output.text == "")
        #expect(
            errors.lines == [
                "warning: /srv/a\\x0A: permission denied", "Files: 3 new",
                "snapshot 40dc1520 saved",
            ])
    }

    @Test func whatWasAskedForIsPrintedWhoeverLooksOn() {
        for voice in [Voice(), Voice(isQuiet: true)] {
            let report = report(Self.cron, voice)
            report.answer("40dc1520")
            _ = report.finish(.done)
        }
        #expect(output.lines == ["40dc1520", "40dc1520"])
    }

    @Test func aPersonReadsNotesAtOnceUnlessQuiet() {
        let loud = report(Self.person)
        loud.note("loud")
        _ = loud.finish(.done)
        let quiet = report(Self.person, Voice(isQuiet: true))
        quiet.note("quiet")
        _ = quiet.finish(.done)
        #expect(output.text == "loud\n" && errors.text == "")
    }

    @Test func verboseSpeaksFromCronToo() {
        let report = report(Self.cron, Voice(verbosity: 1))
        report.note("note")
        report.detail("detail")
        report.detail("more", level: 2)
        _ = report.finish(.done)
        #expect(output.lines == ["note", "detail"])
    }

    @Test func aProgramReadsJSONOnly() {
        let report = report(Self.person, Voice(isJSON: true, verbosity: 1))
        var summary = JSONLine("summary")
        summary.add("files_new", 3 as UInt64)
        summary.add("dry_run", false)
        report.note("note")
        report.answer("answer")
        report.answer(summary)
        report.detail("x", json: JSONLine("verbose_status"))
        report.warning("permission denied", during: "archival", item: [0x2F, 0xFF])
        report.failure(CommandError(.wrongPassword, "wrong \"password\"", hint: "try again"))
        #expect(report.finish(.wrongPassword) == .wrongPassword)
        #expect(
            output.lines == [
                #"{"message_type":"summary","files_new":3,"dry_run":false}"#,
                #"{"message_type":"verbose_status"}"#,
            ])
        #expect(
            errors.lines == [
                #"{"message_type":"error","error":{"message":"permission denied"},"#
                    + "\"during\":\"archival\",\"item\":\"/\u{FFFD}\",\"item_b64\":\"L/8=\"}",
                #"{"message_type":"exit_error","code":12,"message":"wrong \"password\"","#
                    + #""hint":"try again"}"#,
            ])
    }

    @Test func outputThatCannotBeWrittenIsNoSuccess() {
        let full = Page(failingWith: 28)
        let report = Report(
            voice: Voice(), terminal: Self.cron, output: full.output(isBuffered: true),
            errors: errors.output())
        report.answer("line")
        #expect(report.finish(.done) == .failed)
        #expect(errors.text.hasPrefix("holdfast: standard output cannot be written: "))
    }

    @Test func anErrorIsAMessageAndAHint() {
        let report = report(Self.person)
        report.failure(CommandError(.locked, "a\u{1B}b", hint: "wait"))
        #expect(errors.lines == ["holdfast: a\\x1Bb", "hint: wait"])
    }
}
