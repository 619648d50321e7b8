import Glibc
import Platform
import SQLite
import Testing

/// Runs what README.md shows, as written but for where things lie.
@Suite struct ReadmeTests {
    @Test func nightlyBackupRestoreAndProofRunAsWritten() throws {
        let stage = try ReadmeStage()
        let fences = try Readme.fences.filter { !$0.buildsTheProgram }
        let setup = try #require(fences.firstIndex { $0.text.contains("/etc/cron.d/") })
        let database = try stage.makeService()

        try stage.run(fences[...setup])
        for count in 1...2 {
            let (status, output) = try stage.runFromCron()
            #expect(status == .exited(0))
            #expect(output == "", "cron mails what a successful run \(count) prints")
            try database.execute("INSERT INTO accounts (name) VALUES ('of night \(count)')")
        }
        try stage.run(fences[(setup + 1)...])

        try stage.run("cmp srv/accounts/uploads/photo srv/restored/uploads/photo")
        for path in ["srv/restored/accounts.db", "accounts.db"] {
            #expect(try stage.names(in: path) == ["at first", "of night 1"])
        }
        try database.close()
    }

    @Test func everyHoldfastCommandOfTheReadmeIsRun() throws {
        for fence in try Readme.fences where fence.buildsTheProgram {
            #expect(!fence.lines.contains { $0.hasPrefix("holdfast") })
        }
    }

    @Test func scriptsOfTheReadmeExistAndSayWhatTheyDo() throws {
        let lines = try Readme.fences.flatMap(\.lines).filter { $0.hasPrefix("Scripts/") }
        let scripts = Set(lines.compactMap { $0.split(separator: " ").first.map(String.init) })
        #expect(scripts.isSuperset(of: ["Scripts/demo", "Scripts/test"]))
        for script in scripts {
            let (status, output) = try Subprocess.run(
                [Readme.root.appending(script).description, "--help"], outputLimit: 1 << 16)
            #expect(status.isSuccess, "\(script)")
            #expect(!output.isEmpty, "\(script) --help says nothing")
        }
    }

    @Test(.enabled(if: getenv("HOLDFAST_TEST_ALL") != nil))
    func theDemoRuns() throws {
        let demo = Readme.root.appending("Scripts/demo").description
        // The program refuses variables it does not know, HOLDFAST_TEST_ALL among them.
        let (status, output) = try Subprocess.run(
            [demo, "--holdfast", ReadmeStage.binary],
            environment: ReadmeStage.environment(
                path: getenv("PATH").map { String(cString: $0) } ?? "/usr/bin:/bin"),
            outputLimit: 1 << 20)
        #expect(status.isSuccess, "\(String(decoding: output, as: UTF8.self))")
    }
}

/// The shell commands of README.md.
private enum Readme {
    struct Fence {
        let lines: [String]
        var text: String { lines.joined(separator: "\n") }
        /// Whether it makes and installs the program, which the tests have been given.
        var buildsTheProgram: Bool {
            lines.contains { $0.hasPrefix("Scripts/") || $0.hasPrefix("swift ") }
        }
    }

    static let root = FilePath(#filePath).parent.parent.parent

    /// The blocks marked as `sh`, in order.
    static var fences: [Fence] {
        get throws {
            let bytes = try Descriptor.contents(of: root.appending("README.md"), limit: 1 << 20)
            var fences: [Fence] = []
            var open: [String]?
            for line in String(decoding: bytes, as: UTF8.self).split(separator: "\n") {
                if let lines = open, line == "```" {
                    fences.append(Fence(lines: lines))
                    open = nil
                } else if open != nil {
                    open?.append(String(line))
                } else if line == "```sh" {
                    open = []
                }
            }
            return fences
        }
    }
}

/// A directory that stands for the machine of the README: its `/srv`, `/etc` and `/usr/local/bin`.
private final class ReadmeStage {
    /// The binary under test: `HOLDFAST_TEST_BINARY`, or the one beside the test bundle.
    static var binary: String {
        if let named = getenv("HOLDFAST_TEST_BINARY") { return String(cString: named) }
        var buffer = [CChar](repeating: 0, count: 4096)
        let count = readlink("/proc/self/exe", &buffer, buffer.count)
        let bundle = buffer.prefix(max(0, count)).map(UInt8.init(bitPattern:))
        return FilePath(bytes: bundle).parent.appending("holdfast").description
    }

    /// What cron gives to its jobs, and little more than a new terminal would have.
    static func environment(path: String, home: String = "/root") -> [String] {
        ["HOME=\(home)", "LOGNAME=root", "SHELL=/bin/sh", "PATH=\(path)"]
    }

    private let root: String

    init() throws {
        var template: [CChar] = "/tmp/holdfast-readme-XXXXXX".utf8.map(CChar.init) + [0]
        try #require(mkdtemp(&template) != nil)
        root = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
        try run(
            """
            mkdir -p srv/accounts/uploads etc/cron.d usr/local/bin
            ln -s '\(Self.binary)' usr/local/bin/holdfast
            head -c 3000000 /dev/urandom > srv/accounts/uploads/photo
            """)
    }

    deinit {
        _ = try? Subprocess.run(["rm", "-rf", root], outputLimit: 1 << 16)
    }

    /// The service's database, in use.
    func makeService() throws -> Connection {
        let database = try Connection(
            opening: FilePath(root + "/srv/accounts/accounts.db"), mode: .readWriteCreate,
            busyTimeoutMilliseconds: 10_000)
        try database.execute("PRAGMA journal_mode = WAL")
        try database.execute("CREATE TABLE accounts (id INTEGER PRIMARY KEY, name TEXT)")
        try database.execute("INSERT INTO accounts (name) VALUES ('at first')")
        return database
    }

    func names(in path: String) throws -> [String] {
        let database = try Connection(
            opening: FilePath(root + "/" + path), mode: .readWrite,
            busyTimeoutMilliseconds: 10_000)
        let check = try database.prepare("PRAGMA integrity_check")
        #expect(try check.step() && check.text(at: 0) == "ok")
        let select = try database.prepare("SELECT name FROM accounts ORDER BY id")
        var names: [String] = []
        while try select.step() { names.append(select.text(at: 0)) }
        return names
    }

    /// Runs blocks of the README in one shell, as one would type them.
    func run(_ fences: ArraySlice<Readme.Fence>) throws {
        try run(moved(fences.map(\.text).joined(separator: "\n")))
    }

    func run(_ script: String) throws {
        let (status, output) = try shell(
            ["bash", "-c", "cd '\(root)'; set -eu; exec 2>&1\n" + script],
            path: "\(root)/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
        #expect(status.isSuccess, "\(status) of\n\(script)\n\(output)")
    }

    /// Runs the one line of the cron file in cron's bare environment, by the shell cron uses.
    func runFromCron() throws -> (status: Platform.ExitStatus, output: String) {
        let table = FilePath(root + "/etc/cron.d/holdfast")
        let line = String(decoding: try Descriptor.contents(of: table, limit: 4096), as: UTF8.self)
        // Five fields of time and the user stand before the command.
        let fields = line.split(separator: " ", maxSplits: 6)
        try #require(fields.count == 7 && fields[5] == "root")
        return try shell(["/bin/sh", "-c", "exec 2>&1; " + fields[6]], path: "/usr/bin:/bin")
    }

    private func shell(
        _ words: [String], path: String
    ) throws -> (status: Platform.ExitStatus, output: String) {
        let (status, output) = try Subprocess.run(
            words, environment: Self.environment(path: path, home: root), outputLimit: 1 << 20)
        return (status, String(decoding: output, as: UTF8.self))
    }

    /// A text with the machine's places moved to this stage's.
    private func moved(_ text: String) -> String {
        var text = text
        for place in ["/usr/local/bin/", "/etc/holdfast", "/etc/cron.d/", "/srv/", "/tmp/"] {
            let target = place == "/tmp/" ? "/" : place
            text = text.replacing(place, with: "\u{0}\(target)")
        }
        return text.replacing("\u{0}", with: root)
    }
}
