import Testing

/// What goes to whom: JSON lines for programs, silence for cron, a story on failure.
@Suite(.serialized)
struct OutputTests {
    private func expectJSONLines(
        _ fixture: HoldfastFixture, _ text: String,
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        for line in text.split(separator: "\n") {
            let quoted = line.replacing("'", with: "'\\''")
            let kind = try fixture.shell(
                "printf %s '\(quoted)' | python3 -c 'import json, sys; "
                    + "print(json.load(sys.stdin)[\"message_type\"])'",
                sourceLocation: sourceLocation)
            #expect(!kind.isEmpty, sourceLocation: sourceLocation)
        }
    }

    @Test func everyCommandSpeaksJSONLines() throws {
        let fixture = try HoldfastFixture(makesRepository: false)
        try fixture.shell(
            "echo x >$'source/\\xff\"\\n'; echo y >source/f; sqlite3 source/d.db 'CREATE TABLE t (x)'"
        )
        let commands = [
            ["init"], ["backup", "-v", fixture.source], ["snapshots"], ["ls", "latest"],
            ["restore", "latest:\(fixture.source)", "-t", fixture.target, "-v"], ["verify"],
            ["verify", "--drill"], ["unlock"],
        ]
        for command in commands {
            let run = expect(try fixture.start(command + ["--json"]).finish(), code: 0)
            #expect(!run.output.isEmpty && run.errors.isEmpty, "\(command): \(run)")
            try expectJSONLines(fixture, run.output)
        }
        for command in [["ls", "nonsense"], ["frob"], ["backup", "/no/such"], ["init"]] {
            let run = try fixture.start(command + ["--json"]).finish()
            #expect(run.code > 0 && !run.errors.isEmpty && run.output.isEmpty, "\(command): \(run)")
            try expectJSONLines(fixture, run.errors)
            #expect(run.errors.contains("exit_error"), "\(command): \(run)")
        }
    }

    @Test func successIsSilentWhereNobodyLooksOn() throws {
        let fixture = try HoldfastFixture(makesRepository: false)
        try fixture.shell("echo y >source/f; sqlite3 source/d.db 'CREATE TABLE t (x)'")
        let commands = [
            ["init"], ["backup", fixture.source],
            ["backup", "--skip-if-unchanged", fixture.source],
            ["restore", "latest:\(fixture.source)", "-t", fixture.target], ["verify"],
            ["verify", "--drill"], ["unlock"], ["backup", "-q", fixture.source],
        ]
        for command in commands {
            let run = expect(try fixture.start(command).finish(), code: 0)
            #expect(run.output.isEmpty && run.errors.isEmpty, "\(command): \(run)")
        }
        let verbose = try fixture.run("backup", "-v", fixture.source)
        #expect(verbose.output.contains("snapshot") && verbose.errors.isEmpty, "\(verbose)")
    }

    @Test func failureTellsTheWholeStory() throws {
        let fixture = try HoldfastFixture()
        try fixture.shell("echo y >source/f")
        let run = expect(try fixture.run("backup", fixture.source, "/no/such"), code: 3)
        #expect(run.output.isEmpty, "\(run)")
        for words in ["/no/such: ", "Files: 1 new", "snapshot", "saved"] {
            #expect(run.errors.contains(words), "\(words): \(run)")
        }
    }

    @Test func progressKnowsFromTheLastSnapshotHowMuchThereIs() throws {
        let fixture = try HoldfastFixture()
        try fixture.shell("for i in {1..20}; do head -c 100000 /dev/urandom >source/$i; done")
        let first = expect(try fixture.run("backup", "--json", fixture.source), code: 0)
        let status = { (run: RunResult) in
            run.output.split(separator: "\n").first { $0.contains("\"status\"") } ?? ""
        }
        #expect(!status(first).contains("total_bytes"), "\(first)")
        try fixture.shell("touch source/*")
        let second = expect(try fixture.run("backup", "--json", fixture.source), code: 0)
        #expect(status(second).contains("\"total_files\":20,"), "\(second)")
        #expect(status(second).contains("\"total_bytes\":2000000,"), "\(second)")
        let done = second.output.split(separator: "\n").last { $0.contains("\"status\"") }
        #expect(try #require(done).contains("\"percent_done\":1"), "\(second)")
    }

    @Test func helpOfEveryCommandHasAnExample() throws {
        let fixture = try HoldfastFixture(makesRepository: false)
        let help = expect(try fixture.run("help"), code: 0).output
        for command in [
            "init", "backup", "snapshots", "ls", "dump", "restore", "verify", "unlock",
            "completion",
        ] {
            #expect(help.contains("  \(command) "), "\(command)")
            let own = expect(try fixture.run(command, "--help"), code: 0).output
            #expect(own.contains("holdfast \(command)") || own.contains("holdfast -r"), "\(own)")
            #expect(try fixture.run("help", command).output == own)
        }
    }

    @Test func outputThatCannotBeWrittenIsAFailure() throws {
        let fixture = try HoldfastFixture()
        try fixture.shell("head -c 100000 /dev/urandom >source/f")
        try expect(fixture.run("backup", fixture.source), code: 0)
        let settings = fixture.environment.map { "\($0.key)='\($0.value)'" }.joined(separator: " ")
        let code = try fixture.lines(
            "env -i \(settings) \(HoldfastFixture.binary) dump latest \(fixture.source)/f "
                + ">/dev/full 2>error || echo $?")
        #expect(code == ["1"])
        #expect(try fixture.shell("cat error").contains("standard output cannot be written"))
    }

    @Test func listedTypesAreNamedAsInRestic() throws {
        let fixture = try HoldfastFixture()
        try fixture.shell("cd source; mkdir d; echo x >f; ln -s f l; mkfifo p; sqlite3 b.db VACUUM")
        expect(try fixture.run("backup", fixture.source), code: 0)
        let listed = expect(
            try fixture.run("ls", "--json", "latest:" + fixture.source), code: 0
        ).output
        for (name, type) in [("d", "dir"), ("f", "file"), ("l", "symlink"), ("p", "fifo")] {
            #expect(listed.contains("\"name\":\"\(name)\",\"type\":\"\(type)\""), "\(listed)")
        }
    }

    @Test func standardInputAndCommandsAreBackedUp() throws {
        let fixture = try HoldfastFixture()
        let made = try fixture.run(
            "backup", "--stdin-from-command", "--stdin-filename", "dump.sql", "--", "seq", "100000")
        expect(made, code: 0)
        #expect(
            try fixture.run("dump", "latest", "/dump.sql").output == fixture.shell("seq 100000"))
        let listed = try fixture.run("snapshots").output
        #expect(listed.contains("/dump.sql") && listed.contains("575.092 KiB"), "\(listed)")
        let again = try fixture.run(
            "backup", "-v", "--stdin-from-command", "--stdin-filename", "dump.sql", "--", "seq",
            "200000")
        #expect(expect(again, code: 0).output.contains("processed 1 file, 1.2"), "\(again)")
        try fixture.shell("rm $(ls -t repository/snapshots/* | head -n 1)")
        let failed = try fixture.run(
            "backup", "--stdin-from-command", "--", "sh", "-c", "echo half; exit 3")
        expect(failed, code: 1)
        #expect(failed.errors.contains("hint: "), "\(failed)")
        #expect(try fixture.run("snapshots").output.contains("1 snapshot"))
    }
}
