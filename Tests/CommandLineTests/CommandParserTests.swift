import Commands
import Platform
import Testing

@Suite struct CommandParserTests {
    @Test(arguments: [
        (["--tag", "a", "--tag=b", "-t", "c", "-td", "-t=e", "--label", "f"], "abcdef"),
        (["-nxta", "-tb"], "ab"),
        (["--tag=a=b"], "a=b"),
        (["--tag=", "-t", ""], ""),
        (["--tag=--dry-run", "--tag", "-"], "--dry-run-"),
    ])
    func eachSpellingGivesTheSameValue(_ words: [String], _ joined: String) throws {
        let parsed = try SampleProgram.command(["save"] + words)
        #expect(try parsed.texts(SampleProgram.tag).joined() == joined)
    }

    @Test func flagsOfOneLetterBundle() throws {
        let parsed = try SampleProgram.command(["save", "-nxo/dir", "/srv"])
        #expect(parsed.has(SampleProgram.dryRun))
        #expect(parsed.has(SampleProgram.oneFileSystem))
        #expect(try parsed.path(SampleProgram.target)?.bytes == Array("/dir".utf8))
        #expect(texts(parsed.arguments) == ["/srv"])
    }

    @Test func globalOptionsStandBeforeAndAfterTheCommand() throws {
        let parsed = try SampleProgram.command(
            ["-r", "/repo", "-v", "save", "-vv", "--json", "/srv"])
        #expect(try parsed.path(GlobalOptions.repository)?.bytes == Array("/repo".utf8))
        #expect(parsed.count(GlobalOptions.verbose) == 3)
        #expect(parsed.has(GlobalOptions.json))
    }

    @Test func twoDashesEndTheOptions() throws {
        let parsed = try SampleProgram.command(["save", "a", "-n", "--", "-x", "--tag", "--"])
        #expect(texts(parsed.arguments) == ["a", "-x", "--tag", "--"])
        #expect(texts(parsed.argumentsPastOptions) == ["-x", "--tag", "--"])
        #expect(!parsed.has(SampleProgram.oneFileSystem))
    }

    @Test func aSingleDashIsAnArgument() throws {
        #expect(texts(try SampleProgram.command(["save", "-"]).arguments) == ["-"])
    }

    @Test func pathsNeedNotBeUTF8() throws {
        let words = [Array("save".utf8), Array("--target=".utf8) + [0xFF], [0xFE, 0x80]]
        guard case .command(let parsed) = try CommandParser(SampleProgram.description).parse(words)
        else { return #expect(Bool(false)) }
        #expect(parsed.arguments == [[0xFE, 0x80]])
        #expect(try parsed.path(SampleProgram.target)?.bytes == [0xFF])
        #expect(throws: CommandError.self) { try parsed.text(SampleProgram.target) }
        #expect(throws: CommandError.self) { try parsed.argumentText(0) }
    }

    @Test func anAliasNamesItsCommand() throws {
        #expect(try SampleProgram.command(["store"]).command == SampleProgram.save)
    }

    @Test func helpAndVersionAnswerAtOnce() throws {
        guard case .help(nil) = try SampleProgram.parse("--help") else { return failed() }
        guard case .help(nil) = try SampleProgram.parse("-qh") else { return failed() }
        guard case .version = try SampleProgram.parse("--version") else { return failed() }
        guard case .bare = try SampleProgram.parse() else { return failed() }
        guard case .bare = try SampleProgram.parse("-v") else { return failed() }
        guard case .help(let command?) = try SampleProgram.parse("show", "-h", "--nonsense") else {
            return failed()
        }
        #expect(command == SampleProgram.show)
    }

    private func failed() {
        Issue.record("the words ask for something else")
    }
}
