import Testing

/// The completion scripts load in their shells, and complete.
@Suite(.serialized)
struct CompletionScriptTests {
    @Test func bashCompletesCommandsOptionsAndWords() throws {
        let fixture = try HoldfastFixture(makesRepository: false)
        let script = expect(try fixture.run("completion", "bash"), code: 0).output
        #expect(script.contains("complete"))
        try fixture.shell("cat >script <<'END'\n\(script)END")
        let complete = { (words: String) in
            try fixture.lines(
                """
                PATH="$(dirname '\(HoldfastFixture.binary)'):$PATH"; source ./script
                COMP_WORDS=(\(words)); COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
                COMP_LINE="${COMP_WORDS[*]}"; COMP_POINT=${#COMP_LINE}
                name=$(complete -p holdfast | sed 's/.*-F \\([^ ]*\\).*/\\1/')
                set +eu; $name holdfast "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
                printf '%s\\n' "${COMPREPLY[@]}" | sed 's/ $//' | sort
                """)
        }
        #expect(try complete("holdfast bac") == ["backup"])
        #expect(try complete("holdfast restore --over") == ["--overwrite"])
        #expect(
            try complete("holdfast restore --overwrite if")
                == ["if-changed", "if-newer"])
        #expect(try complete("holdfast completion z") == ["zsh"])
    }

    @Test(arguments: ["bash", "zsh", "fish"])
    func scriptIsValidWhereItsShellIs(shell: String) throws {
        let fixture = try HoldfastFixture(makesRepository: false)
        let script = expect(try fixture.run("completion", shell), code: 0).output
        for command in ["backup", "restore", "verify"] { #expect(script.contains(command)) }
        guard try fixture.shell("command -v \(shell) || true") != "" else {
            print("\(shell) is not installed: its completion was NOT loaded")
            return
        }
        try fixture.shell("cat >script <<'END'\n\(script)END\n\(shell) -n script")
    }
}
