import Glibc
import Platform
import SQLite
import Testing

/// `config check` and `watch --config` with the real binary.
@Suite struct ConfigTests {
    @Test func aConfigurationInOrderIsSummarized() throws {
        let scene = try ConfigScene()
        try scene.configure(services: scene.accounts)
        let run = expect(try scene.fixture.run("config", "check", scene.file), code: 0)
        #expect(run.output.contains("\(scene.file) is in order\n"))
        #expect(run.output.contains("each commit, in the repository every 200ms"))
        #expect(run.output.contains("snapshot  every 1s"))
        #expect(run.errors == "")
    }

    @Test func everyMistakeIsNamedWithItsPlace() throws {
        let scene = try ConfigScene()
        try scene.fixture.shell(
            """
            chmod 644 password; ln a.db twin.db; ln -s a.db link.db; mkdir many; cp a.db many/
            head -c 5000 /dev/urandom >noise; mkfifo pipe
            """)
        let root = scene.fixture.root
        try scene.configure(
            services: """
                one: { databases: ["\(root)/a.db",
                  "\(root)/twin.db",
                  "\(root)/link.db",
                  "\(root)/noise",
                  "\(root)/missing.db",
                  "\(root)/pipe",
                  "\(root)/many",
                  "\(root)/many/a.db"], schedul: "1m" },
                two: { databases: ["\(root)/a.db"], trees: ["\(root)/nowhere"], schedule: "1m" },
                """)
        let run = expect(try scene.fixture.run("config", "check", scene.file), code: 1)
        let expected = [
            "2:", "password can be read or written by everybody", "twin.db is the same as",
            "link.db is a symbolic link", "noise does not begin as a SQLite database does",
            "missing.db cannot be looked at: No such file or directory", "pipe is a named pipe",
            "many/a.db lies beneath \(root)/many of services.one.databases[6]",
            "services.one.schedul: there is no such key; did you mean schedule?",
            "nowhere cannot be looked at", "services.two.databases[0]: \(root)/a.db is the same as",
        ]
        for text in expected { #expect(run.output.contains(text), "\(text) in\n\(run)") }
        #expect(run.output.split(separator: "\n").count == expected.count - 1, "\(run)")
        #expect(run.errors.contains("\(scene.file) has 10 mistakes"))

        let json = expect(try scene.fixture.run("config", "check", "--json", scene.file), code: 1)
        #expect(json.output.split(separator: "\n").count == expected.count - 1)
        #expect(json.output.contains("{\"message_type\":\"mistake\",\"file\":"))
    }

    @Test func aWrongConfigurationStopsACommandThatNeedsIt() throws {
        let scene = try ConfigScene()
        try scene.fixture.shell("echo '{ repository: { location: \"/r\" }, nod: 1 }' >host.json5")
        for command in [["watch"], ["snapshots"], ["init"]] {
            let run = expect(
                try scene.fixture.start(command + ["--config", scene.file]).finish(), code: 2)
            #expect(run.errors.contains("\(scene.file):1:35: nod: there is no such key"))
        }
        expect(try scene.fixture.run("snapshots", "-c", "/nowhere.json5"), code: 2)
    }

    @Test func repositoryPasswordAndHostComeFromTheConfiguration() throws {
        let scene = try ConfigScene()
        try scene.configure(services: scene.accounts)
        let bare: [String: String?] = [
            "HOLDFAST_REPOSITORY": nil, "HOLDFAST_PASSWORD_FILE": nil,
        ]
        expect(
            try scene.fixture.run("backup", "-c", scene.file, scene.fixture.source, setting: bare),
            code: 0)
        let run = expect(
            try scene.fixture.run("snapshots", "--json", "-c", scene.file, setting: bare), code: 0)
        #expect(run.output.contains("\"alpha\""))
    }

    @Test func theServicesOfAConfigurationAreRecordedAndTheirSnapshotsMade() throws {
        let scene = try ConfigScene()
        try scene.fixture.shell("echo one >uploads/one")
        try scene.configure(services: scene.accounts)
        let watch = try scene.fixture.start(["watch", "--config", scene.file])
        try scene.await("grep -qs 'a.db: recording from' run-*.out")
        try scene.await("holdfast snapshots | grep -q service:accounts")
        try scene.fixture.shell("sqlite3 a.db 'INSERT INTO t VALUES (2)'; echo two >uploads/two")
        try scene.await("holdfast ls latest | grep -q uploads/two")
        watch.process.kill(SIGTERM)
        expect(try watch.finish(), code: 0)
        expect(
            try scene.fixture.run(
                "restore", "latest", "--host", "alpha", "-t", scene.fixture.target), code: 0)
        let restored = scene.fixture.target + scene.fixture.root
        #expect(
            try scene.fixture.lines(
                "sqlite3 \(restored)/a.db 'SELECT x FROM t'; cat \(restored)/uploads/*")
                == ["1", "2", "one", "two"])
    }

    @Test func aSnapshotThatFailsIsToldAndTriedAgain() throws {
        let scene = try ConfigScene()
        try scene.configure(services: scene.accounts)
        // The tree is not there yet: the snapshot is incomplete.
        try scene.fixture.shell("rmdir uploads")
        let watch = try scene.fixture.start(["watch", "--config", scene.file])
        try scene.await("grep -qs 'is not complete' run-*.err")
        try scene.fixture.shell("mkdir uploads; echo one >uploads/one")
        try scene.await("holdfast ls latest | grep -q uploads/one")
        watch.process.kill(SIGTERM)
        expect(try watch.finish(), code: 0)
    }

    @Test func eachServiceKeepsWhatItsOwnPolicySaysAndWhatNothingNeedsGoes() throws {
        let scene = try ConfigScene()
        let root = scene.fixture.root
        try scene.fixture.shell(
            "mkdir other; echo 1 >other/file; head -c 9000 /dev/urandom >uploads/f")
        try scene.configure(
            services: """
                accounts: { databases: ["\(root)/a.db"], trees: ["\(root)/uploads"],
                  schedule: "1s", seal: "200ms", keep: { last: 1 } },
                other: { trees: ["\(root)/other"], schedule: "1s", keep: { history: "1d" } },
                """, repository: "prune: \"1s\",")
        // Somebody else's, of the same paths.
        for _ in 1...2 {
            expect(
                try scene.fixture.run(
                    "backup", "--host", "alpha", "--tag", "mine", root + "/uploads"), code: 0)
        }
        let watch = try scene.fixture.start(["watch", "--config", scene.file, "-v"])
        try scene.await("grep -qs 'snapshot removed' run-*.out")
        try scene.fixture.shell("head -c 9000 /dev/urandom >new; mv new uploads/f")
        // The watch is at work: what was stored meanwhile is left to a later prune.
        try scene.await("grep -qs 'pruned: 0 files, 0 B deleted; [1-9]' run-*.out")
        watch.process.kill(SIGTERM)
        let run = expect(try watch.finish(), code: 0)
        #expect(run.output.contains("service accounts: 1 snapshot removed; it keeps each commit"))
        #expect(!run.output.contains("service other: 1 snapshot removed"))
        #expect(try scene.snapshots(tagged: "service:accounts") <= 2)
        #expect(try scene.snapshots(tagged: "service:other") >= 2)
        #expect(try scene.snapshots(tagged: "mine") == 2)
        expect(try scene.fixture.run("verify", "--read-data"), code: 0)
    }

    @Test func aPolicyOfNothingForgetsNothing() throws {
        let scene = try ConfigScene()
        try scene.configure(
            services: """
                accounts: { trees: ["\(scene.fixture.root)/uploads"], schedule: "1s",
                  keep: { last: 0, daily: 0 } },
                """)
        let check = expect(try scene.fixture.run("config", "check", scene.file), code: 0)
        #expect(check.output.contains("keeps     each commit for 7d, all snapshots"))
        let watch = try scene.fixture.start(["watch", "--config", scene.file, "-v"])
        try scene.await("[ $(cat run-*.out | grep -c 'a snapshot was made') -ge 3 ]")
        watch.process.kill(SIGTERM)
        expect(try watch.finish(), code: 0)
        #expect(try scene.snapshots(tagged: "service:accounts") >= 3)
    }

    @Test func databasesThatAppearBeneathADirectoryAreRecordedAndThoseThatGoStay() throws {
        let scene = try ConfigScene()
        try scene.fixture.shell("mkdir -p many/old; mv a.db many/old/a.db; echo no >many/note")
        let many = scene.fixture.root + "/many"
        let watch = try scene.fixture.start(
            ["watch", "--seal", "200ms", "--data", scene.fixture.root + "/data", many])
        try scene.await("grep -qs 'old/a.db: recording from' run-*.out")
        try scene.fixture.shell(
            """
            mkdir -p many/new/deep
            sqlite3 many/new/deep/b.db 'PRAGMA journal_mode = WAL; CREATE TABLE t (x); INSERT INTO t VALUES (7)'
            """)
        try scene.await("grep -qs 'deep/b.db: recording from' run-*.out")
        // Kept open, so that the last commit is only in the log when the files go.
        let connection = try Connection(
            opening: FilePath(many + "/new/deep/b.db"), mode: .readWrite,
            busyTimeoutMilliseconds: 5000)
        try connection.execute("INSERT INTO t VALUES (8)")
        try scene.fixture.shell("rm many/new/deep/b.db*")
        try scene.await("grep -qs 'deep/b.db: the file is gone' run-*.out")
        try connection.close()
        watch.process.kill(SIGTERM)
        expect(try watch.finish(), code: 0)
        let history = try scene.fixture.run("history", "--json", many + "/new/deep/b.db")
        let sequences = history.output.split(separator: "\"position\":\"1/").dropFirst()
        let last = try #require(sequences.compactMap { Int($0.prefix { $0 != "\"" }) }.max())
        expect(
            try scene.fixture.run(
                "restore", "--position", "1/\(last)", "--database", many + "/new/deep/b.db", "-t",
                scene.fixture.target), code: 0)
        #expect(
            try scene.fixture.lines(
                "find target -name b.db | xargs -I{} sqlite3 {} 'SELECT x FROM t'") == ["7", "8"])
    }

    @Test func theServiceManagerHearsHowTheWatchIs() throws {
        let scene = try ConfigScene()
        let socket = try NotifySocket(at: scene.fixture.root + "/notify")
        let watch = try scene.fixture.start(
            ["watch", "--data", scene.fixture.root + "/data", scene.fixture.root + "/a.db"],
            setting: [
                "NOTIFY_SOCKET": scene.fixture.root + "/notify", "WATCHDOG_USEC": "300000",
            ])
        #expect(socket.next() == "READY=1")
        for _ in 0..<3 { #expect(socket.next() == "WATCHDOG=1") }
        watch.process.kill(SIGTERM)
        var last = socket.next()
        while last == "WATCHDOG=1" { last = socket.next() }
        #expect(last == "STOPPING=1")
        expect(try watch.finish(), code: 0)
    }
}

/// A host with one database and a configuration.
final class ConfigScene {
    let fixture: HoldfastFixture
    var file: String { fixture.root + "/host.json5" }

    /// A service with a database, a tree, and a snapshot each second.
    var accounts: String {
        """
        accounts: { databases: ["\(fixture.root)/a.db"], trees: ["\(fixture.root)/uploads"],
          schedule: "1s", seal: "200ms" },
        """
    }

    init() throws {
        fixture = try HoldfastFixture()
        try fixture.shell(
            """
            chmod 600 password
            sqlite3 a.db 'PRAGMA journal_mode = WAL; CREATE TABLE t (x); INSERT INTO t VALUES (1)'
            mkdir bin uploads; ln -s '\(HoldfastFixture.binary)' bin/holdfast
            """)
    }

    func snapshots(tagged tag: String) throws -> Int {
        expect(try fixture.run("snapshots", "--json", "--tag", tag), code: 0).output
            .ranges(of: "\"short_id\"").count
    }

    func configure(services: String, repository: String = "") throws {
        let text = """
            { node: "alpha", data: "\(fixture.root)/data",
              repository: { \(repository) location: "\(fixture.repository)", passwordFile: "\(fixture.root)/password" },
              services: {
                \(services)
              } }
            """
        let file = try Descriptor.open(FilePath(self.file), flags: O_WRONLY | O_CREAT | O_TRUNC)
        try Array(text.utf8).withUnsafeBytes { try file.write($0) }
    }

    /// Waits until a condition holds, for twenty seconds at most.
    func `await`(_ condition: String) throws {
        let variables = fixture.environment.map { "export \($0.key)='\($0.value)'" }
        try fixture.shell(
            "unset ${!HOLDFAST_*}\n" + variables.joined(separator: "\n")
                + "\nexport PATH=\"$PWD/bin:$PATH\"\n"
                + "for i in {1..200}; do if \(condition); then exit 0; fi; sleep 0.1; done\n"
                + "tail run-*.out run-*.err; exit 1")
    }
}

/// The socket of a service manager. Source: sd_notify(3).
private final class NotifySocket {
    private let raw: CInt

    init(at path: String) throws {
        raw = socket(AF_UNIX, CInt(SOCK_DGRAM.rawValue), 0)
        try #require(raw >= 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = Array(path.utf8)
        try #require(bytes.count < 108)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(raw, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        try #require(result == 0)
        var patience = timeval(tv_sec: 20, tv_usec: 0)
        setsockopt(
            raw, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
    }

    deinit {
        close(raw)
    }

    /// The next message; empty where none came for twenty seconds.
    func next() -> String {
        var buffer = [UInt8](repeating: 0, count: 256)
        let count = recv(raw, &buffer, buffer.count, 0)
        return String(decoding: buffer.prefix(max(0, count)), as: UTF8.self)
    }
}
