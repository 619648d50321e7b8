import Glibc
import Platform
import Testing

/// How a run of the real binary ended, and what it printed.
struct RunResult: CustomStringConvertible {
    let status: Platform.ExitStatus
    let output: String
    let errors: String

    /// The exit code; -1 for a run that a signal ended.
    var code: Int32 {
        if case .exited(let code) = status { code } else { -1 }
    }

    /// The number that the last JSON line with this key gives it.
    func number(_ key: String) -> Double? {
        for line in output.split(separator: "\n").reversed() {
            guard let start = line.end(of: "\"\(key)\":") else { continue }
            return Double(line[start...].prefix { $0.isNumber || $0 == "." || $0 == "-" })
        }
        return nil
    }

    var description: String { "\(status)\n--- output\n\(output)--- errors\n\(errors)" }
}

/// A directory with a repository, a password, a cache and sources, all gone at the end of a test.
///
/// The binary runs in an environment of its own, into which nothing of `HOLDFAST_*` gets.
final class HoldfastFixture: Sendable {
    /// `source`, `repository`, `target`, `cache` and `password` lie in here.
    let root: String
    let environment: [String: String]
    var source: String { root + "/source" }
    var target: String { root + "/target" }
    var repository: String { root + "/repository" }

    /// - Parameter makesRepository: whether `init` has run before the test begins.
    init(makesRepository: Bool = true) throws {
        var template: [CChar] = "/tmp/holdfast-command-XXXXXX".utf8.map(CChar.init) + [0]
        try #require(mkdtemp(&template) != nil)
        root = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
        environment = [
            "PATH": "/usr/bin:/bin:/usr/sbin:/sbin", "HOME": root, "LANG": "C.UTF-8",
            "HOLDFAST_REPOSITORY": root + "/repository",
            "HOLDFAST_PASSWORD_FILE": root + "/password",
            "HOLDFAST_CACHE_DIR": root + "/cache",
        ]
        try shell("chmod 755 .; mkdir source; echo sesame >password")
        if makesRepository { try expect(run("init"), code: 0) }
    }

    deinit {
        let removal = try? Subprocess(["rm", "-rf", root], output: .null)
        _ = try? removal?.wait()
    }

    // MARK: Running the binary

    /// The binary under test: `HOLDFAST_TEST_BINARY`, or the one beside the test bundle.
    static var binary: String {
        if let named = getenv("HOLDFAST_TEST_BINARY") { return String(cString: named) }
        return products + "/holdfast"
    }

    /// The directory of everything that was built: the test bundle is a program in it.
    static var products: String {
        var buffer = [CChar](repeating: 0, count: 4096)
        let count = readlink("/proc/self/exe", &buffer, buffer.count)
        let bundle = buffer.prefix(max(0, count)).map(UInt8.init(bitPattern:))
        return FilePath(bytes: bundle).parent.description
    }

    /// Runs the binary to its end.
    func run(
        _ arguments: String..., setting variables: [String: String?] = [:],
        asOrdinaryUser: Bool = false
    ) throws -> RunResult {
        try start(arguments, setting: variables, asOrdinaryUser: asOrdinaryUser).finish()
    }

    /// Starts the binary, and leaves it running.
    ///
    /// - Parameter descriptors: how many it may have open.
    func start(
        _ arguments: [String], setting variables: [String: String?] = [:],
        asOrdinaryUser: Bool = false, descriptors: Int? = nil
    ) throws -> StartedRun {
        let answers = "\(root)/run-\(SystemRandomness().bytes(8).map { String($0) }.joined())"
        var words = [
            // A runner in the background of a shell ignores SIGINT, and would hand that down.
            "env", "--default-signal=INT,TERM,HUP,PIPE", "sh", "-c",
            "exec \"$@\" >\"$0.out\" 2>\"$0.err\"", answers,
        ]
        if let descriptors { words += ["prlimit", "--nofile=\(descriptors):\(descriptors)"] }
        if asOrdinaryUser, geteuid() == 0 {
            words += ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
        }
        var environment = environment
        for (name, value) in variables { environment[name] = value }
        let process = try Subprocess(
            words + [HoldfastFixture.binary] + arguments,
            environment: environment.map { "\($0.key)=\($0.value)" }, output: .null)
        return StartedRun(process: process, answers: answers)
    }

    // MARK: Sources and targets

    /// Runs a script in the fixture's directory; one that fails is a failure of the test.
    @discardableResult
    func shell(_ script: String, sourceLocation: SourceLocation = #_sourceLocation) throws -> String
    {
        let answer = try Subprocess.run(
            ["bash", "-euc", "cd \"$0\"; " + script, root], outputLimit: 64 << 20)
        let text = String(decoding: answer.output, as: UTF8.self)
        try #require(
            answer.status.isSuccess, "\(script): \(text)", sourceLocation: sourceLocation)
        return text
    }

    /// The lines that `script` prints.
    func lines(_ script: String) throws -> [String] {
        try shell(script).split(separator: "\n").map(String.init)
    }
}

/// A run that may still be going on.
struct StartedRun {
    let process: Subprocess
    fileprivate let answers: String

    /// Waits for its end.
    func finish() throws -> RunResult {
        let status = try process.wait()
        return RunResult(status: status, output: try text("out"), errors: try text("err"))
    }

    private func text(_ ending: String) throws -> String {
        let path = FilePath("\(answers).\(ending)")
        do {
            let bytes = try Descriptor.contents(of: path, limit: 64 << 20)
            return String(decoding: bytes, as: UTF8.self)
        } catch {
            guard error.errno == .noSuchFile else { throw error }
            return ""  // it was killed before it began
        }
    }
}

/// Expects a run to have ended with a code; answers the run.
@discardableResult
func expect(
    _ run: RunResult, code: Int32, sourceLocation: SourceLocation = #_sourceLocation
) -> RunResult {
    #expect(run.code == code, "\(run)", sourceLocation: sourceLocation)
    return run
}

/// How much the tests do.
enum TestExtent {
    /// Whether the full counts were asked for.
    static var isFull: Bool { getenv("HOLDFAST_TEST_ALL") != nil }

    /// Whether the tests may change owners, mount, and become others.
    static var isRoot: Bool { geteuid() == 0 }
}

extension StringProtocol {
    /// Where the first `text` ends.
    func end(of text: String) -> Index? {
        var start = startIndex
        while start < endIndex {
            if self[start...].hasPrefix(text) { return index(start, offsetBy: text.count) }
            start = index(after: start)
        }
        return nil
    }
}
