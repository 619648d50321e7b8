import Commands
import Glibc
import Testing

@Suite struct CompletionTests {
    /// What a shell command prints, and its status.
    static func shell(_ command: String) throws -> (text: String, status: CInt) {
        let stream = try #require(popen(command, "r"))
        var bytes: [UInt8] = []
        var byte = fgetc(stream)
        while byte != EOF {
            bytes.append(UInt8(truncatingIfNeeded: byte))
            byte = fgetc(stream)
        }
        return (String(decoding: bytes, as: UTF8.self), pclose(stream))
    }

    /// Calls with the path of a file that holds the text.
    static func withFile<Result>(
        _ text: String, _ body: (String) throws -> Result
    ) throws -> Result {
        var template = Array("/tmp/holdfast-completion-XXXXXX".utf8CString)
        let descriptor = mkstemp(&template)
        try #require(descriptor >= 0)
        let path = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
        defer { unlink(path) }
        let output = Output(descriptor: descriptor, isBuffered: false)
        output.write(Array(text.utf8))
        close(descriptor)
        try #require(output.failure == nil)
        return try body(path)
    }

    /// What bash offers at the end of these words, and which `compopt` it asks for.
    static func offers(_ words: [String]) throws -> [String] {
        let script = CompletionShell.bash.script(of: .holdfast)
        let list = (["holdfast"] + words).map { "'\($0)'" }.joined(separator: " ")
        let driver = """
            \(script)
            compopt() { printf '%s\\n' "compopt $*"; }
            COMP_WORDS=(\(list))
            COMP_CWORD=\(words.count)
            _holdfast holdfast
            printf '%s\\n' "${COMPREPLY[@]}"
            """
        let answer = try withFile(driver) { try shell("bash -u \($0) 2>&1") }
        #expect(answer.status == 0)
        return answer.text.split(separator: "\n").map(String.init)
    }

    @Test(
        arguments: [
            (["ba"], ["backup"]),
            (["ver"], ["verify", "verify-integrity"]),
            (["-r", "/x", "--json", "re"], ["restore"]),
            (["--repo", "=", "/x", "re"], ["restore"]),
            (["--vers"], ["--version"]),
            (
                ["backup", "--ex"],
                [
                    "--exclude", "--exclude-file", "--exclude-caches", "--exclude-if-present",
                ]
            ),
            (["backup", "--vers"], []),
            (["check", "--drill-"], ["--drill-target"]),
            (["restore", "--overwrite", ""], ["always", "if-changed", "if-newer", "never"]),
            (["restore", "--overwrite", "="], ["always", "if-changed", "if-newer", "never"]),
            (["restore", "--overwrite", "=", "if"], ["if-changed", "if-newer"]),
            (["completion", ""], ["bash", "zsh", "fish"]),
            (["help", "comp"], ["completion"]),
            (["backup", ""], ["compopt -o default"]),
            (["backup", "a", "--tag", "x", "b"], ["compopt -o default"]),
            (["backup", "--", "-x"], ["compopt -o default"]),
            (["backup", "--exclude-file", ""], ["compopt -o default"]),
            (["restore", "latest", "-t", ""], ["compopt -o dirnames"]),
            (["--repo", "="], ["compopt -o dirnames"]),
            (["backup", "--tag", "x"], []),
            (["restore", "lat"], []),
            (["init", "x"], []),
        ] as [([String], [String])])
    func bashOffersWhatMayFollow(_ words: [String], _ offers: [String]) throws {
        #expect(try Self.offers(words) == offers)
    }

    @Test(arguments: CompletionShell.allCases)
    func theShellAcceptsItsScript(_ shell: CompletionShell) throws {
        let isInstalled = try Self.shell("command -v \(shell.rawValue)").status == 0
        guard isInstalled || shell == .bash else { return }
        let script = shell.script(of: .holdfast)
        let answer = try Self.withFile(script) {
            try Self.shell("\(shell.rawValue) -n \($0) 2>&1")
        }
        #expect(answer.status == 0)
        #expect(answer.text == "")
    }

    @Test(arguments: CompletionShell.allCases)
    func theScriptKnowsEveryOption(_ shell: CompletionShell) {
        let script = shell.script(of: .holdfast)
        for command in ProgramDescription.holdfast.commands {
            #expect(script.contains(command.name))
            for option in command.options { #expect(script.contains(option.name)) }
        }
    }
}
