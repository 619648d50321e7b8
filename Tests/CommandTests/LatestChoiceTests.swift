import Testing

/// Which snapshot `latest` is, by `--host`, `--path` and `--tag`.
@Suite(.serialized)
struct LatestChoiceTests {
    private func fixture() throws -> HoldfastFixture {
        let fixture = try HoldfastFixture()
        try fixture.shell("mkdir source/a source/b; echo alpha >source/a/f")
        try expect(
            fixture.run("backup", fixture.source, "--host", "alpha", "--tag", "x,y"), code: 0)
        try fixture.shell("echo bravo >source/a/f")
        try expect(fixture.run("backup", fixture.source, "--host", "bravo"), code: 0)
        try fixture.shell("echo part >source/a/f")
        try expect(fixture.run("backup", fixture.source + "/a", "--host", "bravo"), code: 0)
        return fixture
    }

    private static let choices: [(options: [String], content: String)] = [
        ([], "part"), (["--host", "alpha"], "alpha"), (["-H", "alpha", "-H", "bravo"], "part"),
        (["--path", "source"], "bravo"), (["--tag", "y"], "alpha"), (["--tag", "y,x"], "alpha"),
    ]

    @Test func filtersChooseTheLatest() throws {
        let fixture = try fixture()
        for (options, content) in Self.choices {
            let words = options.map { $0 == "source" ? fixture.source : $0 }
            let file = fixture.source + "/a/f"
            let dump = try fixture.start(["dump", "latest", file] + words).finish()
            #expect(expect(dump, code: 0).output == content + "\n", "\(options)")
            let list = try fixture.start(["ls", "latest", file] + words).finish()
            expect(list, code: 0)
            let restored = try fixture.start(
                ["restore", "latest:\(file)", "-t", fixture.target] + words
            ).finish()
            expect(restored, code: 0)
            #expect(try fixture.shell("cat target/f") == content + "\n", "\(options)")
        }
    }

    @Test func filtersThatFitNothingAreNamedAndAnIDNeedsNone() throws {
        let fixture = try fixture()
        for command in [["ls", "latest"], ["dump", "latest", "/x"], ["restore", "-t", "/no"]] {
            let run = try fixture.start(command + ["--host", "charlie"]).finish()
            expect(run, code: 1)
            #expect(run.errors.contains("--host") && run.errors.contains("3 snapshots"), "\(run)")
        }
        let id = try fixture.lines("ls repository/snapshots")[0].prefix(12)
        try expect(fixture.run("ls", String(id), "--host", "charlie"), code: 0)
        let empty = try HoldfastFixture()
        let none = expect(try empty.run("ls", "latest"), code: 1)
        #expect(none.errors.contains("no snapshot yet\nhint: "), "\(none)")
    }
}
