import Commands
import Testing

@Suite struct UsageErrorTests {
    struct Mistake: CustomTestStringConvertible, Sendable {
        let words: [String]
        let message: String
        let hint: String?

        init(_ words: [String], _ message: String, hint: String? = nil) {
            self.words = words
            self.message = message
            self.hint = hint
        }

        var testDescription: String { words.joined(separator: " ") }
    }

    static let mistakes = [
        Mistake(["sav"], "unknown command sav", hint: "did you mean holdfast save?"),
        Mistake(["xyz"], "unknown command xyz", hint: "holdfast help lists the commands"),
        Mistake(
            ["save", "--dryrun"], "unknown option --dryrun of holdfast save",
            hint: "did you mean --dry-run?"),
        Mistake(
            ["save", "--one"], "unknown option --one of holdfast save",
            hint: "did you mean --one-file-system?"),
        Mistake(
            ["save", "-nZ"], "unknown option -Z of holdfast save",
            hint: "holdfast save --help lists its options"),
        Mistake(
            ["--dry-run", "save"], "option --dry-run stands before the command it belongs to",
            hint: "write it after the command's name"),
        Mistake(
            ["--repp", "x", "save"], "unknown option --repp", hint: "did you mean --repo?"),
        Mistake(
            ["save", "--version"], "unknown option --version of holdfast save",
            hint: "holdfast save --help lists its options"),
        Mistake(["save", "-n", "--dry-run"], "option --dry-run was given twice"),
        Mistake(["-r", "a", "save", "--repo=b"], "option --repo was given twice"),
        Mistake(["save", "--tag"], "option --tag needs a value: TAG"),
        Mistake(["save", "-nt"], "option --tag needs a value: TAG"),
        Mistake(
            ["save", "--tag", "--dry-run"],
            "option --tag needs a value, but --dry-run follows it",
            hint: "write --tag=--dry-run if that is the value"),
        Mistake(["save", "--dry-run=yes"], "option --dry-run takes no value"),
        Mistake(["save", "-n=yes"], "option --dry-run takes no value"),
        Mistake(
            ["save", "--level", "fsat"],
            "option --level is none of fast, balanced, max: fsat", hint: "did you mean fast?"),
        Mistake(
            ["show"], "show needs WHAT", hint: "usage: holdfast show [OPTION…] WHAT [FORM]"
        ),
        Mistake(
            ["show", "a", "long", "c"], "superfluous argument c of holdfast show",
            hint: "usage: holdfast show [OPTION…] WHAT [FORM]"),
        Mistake(["show", "a", "medium"], "FORM is none of long, short: medium"),
        Mistake(
            ["save", "--\u{1B}[2J"], "unknown option --\\x1B[2J of holdfast save",
            hint: "holdfast save --help lists its options"),
    ]

    @Test(arguments: mistakes)
    func aMistakeIsNamedAndEndsWithCodeTwo(_ mistake: Mistake) {
        let error = #expect(throws: CommandError.self) {
            try SampleProgram.command(mistake.words)
        }
        #expect(error?.code == .usage)
        #expect(error?.message == mistake.message)
        #expect(error?.hint == mistake.hint)
    }

    @Test(arguments: [
        ("backpu", "backup"), ("snapshot", "snapshots"), ("verfy", "verify"), ("re", "restore"),
        ("ini", "init"), ("sl", "ls"),
    ])
    func aSlipIsRecognised(_ slip: String, _ meant: String) {
        let names = ProgramDescription.holdfast.commands.flatMap(\.names)
        #expect(NearestName.of(slip, among: names) == meant)
    }

    @Test(arguments: ["", "x", "frobnicate", "mount"])
    func whatIsNoSlipHasNoNearestName(_ word: String) {
        let names = ProgramDescription.holdfast.commands.flatMap(\.names)
        #expect(NearestName.of(word, among: names) == nil)
    }
}
