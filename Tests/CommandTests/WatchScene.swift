import Glibc
import Platform
import Testing

/// A database that an ordinary program writes, watched by the real binary.
///
/// The writer is Python's sqlite3 module. Each commit counts `counter` up by one, and keeps in
/// `proof` the sum over all rows, so that any state proves by itself that it is one that was.
final class WatchScene {
    let fixture: HoldfastFixture
    var database: String { fixture.root + "/live.db" }
    private var watch: StartedRun?
    private var mounted: [String] = []

    private static let writer = """
        import sqlite3, sys, time, random
        path, count, pause, mode = sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), sys.argv[4]
        c = sqlite3.connect(path, isolation_level=None, timeout=20)
        c.execute('pragma journal_mode=' + mode)
        c.execute('pragma synchronous=off')
        c.execute('create table if not exists counter (n int)')
        c.execute('create table if not exists proof (total int)')
        c.execute('create table if not exists row (id integer primary key, v int, b blob)')
        if not c.execute('select count(*) from counter').fetchone()[0]:
            c.execute('begin'); c.execute('insert into counter values (0)')
            c.execute('insert into proof values (0)'); c.execute('commit')
        for _ in range(count):
            c.execute('begin immediate')
            c.execute('update counter set n = n + 1')
            v = random.randrange(1000)
            c.execute('insert into row (v, b) values (?, randomblob(?))', (v, random.randrange(900)))
            c.execute('update row set v = v + 1 where id = abs(random()) % (select max(id) from row)')
            c.execute('delete from row where id < (select max(id) from row) - 400')
            c.execute('update proof set total = (select sum(v) from row)')
            c.execute('commit')
            if pause: time.sleep(pause)
        print(c.execute('select n from counter').fetchone()[0])
        """

    /// - Parameter repositoryMebibytes: the size of a file system of its own for the repository.
    init(repositoryMebibytes: Int? = nil) throws {
        fixture = try HoldfastFixture(makesRepository: repositoryMebibytes == nil)
        if let repositoryMebibytes {
            try mount("repository", mebibytes: repositoryMebibytes)
            expect(try fixture.run("init"), code: 0)
        }
        let file = try Descriptor.open(
            FilePath(fixture.root + "/writer.py"), flags: O_WRONLY | O_CREAT)
        try Array(WatchScene.writer.utf8).withUnsafeBytes { try file.write($0) }
    }

    deinit {
        try? kill(SIGKILL)
        for folder in mounted { _ = try? fixture.shell("umount -l \(folder)") }
    }

    /// Puts a small file system into a folder of the fixture; only root may.
    func mount(_ folder: String, mebibytes: Int) throws {
        try fixture.shell(
            "mkdir -p \(folder); mount -t tmpfs -o size=\(mebibytes)m none \(folder)")
        mounted.append(folder)
    }

    // MARK: The writer

    /// Makes so many commits; answers the counter.
    @discardableResult
    func write(_ commits: Int, pause: Double = 0, mode: String = "wal") throws -> Int {
        try #require(
            Int(
                fixture.lines("python3 writer.py live.db \(commits) \(pause) \(mode)").last ?? ""))
    }

    /// A writer that goes on beside the test.
    func startWriting(_ commits: Int, pause: Double) throws -> Subprocess {
        try Subprocess(
            ["python3", fixture.root + "/writer.py", database, "\(commits)", "\(pause)", "wal"],
            output: .null)
    }

    func sql(_ statement: String) throws -> [String] {
        try fixture.lines("sqlite3 -cmd '.timeout 9000' live.db \"\(statement)\"")
    }

    // MARK: The watch

    /// - Parameter others: databases to record before that of the scene.
    func startWatch(
        besides others: [String] = [], seal: String = "1s", _ more: String...,
        setting variables: [String: String?] = [:]
    ) throws {
        let words = ["--data", fixture.root + "/data", "--seal", seal]
        watch = try fixture.start(
            ["watch"] + others + [database] + words + more, setting: variables)
    }

    /// Records the database as a service of a configuration.
    func startWatch(configured settings: String) throws {
        try fixture.shell(
            """
            cat >host.json5 <<'END'
            { data: "\(fixture.root)/data",
              repository: { location: "\(fixture.repository)",
                passwordFile: "\(fixture.root)/password" },
              services: { one: { databases: ["\(database)"], \(settings) } } }
            END
            """)
        watch = try fixture.start(["watch", "--config", fixture.root + "/host.json5", "-v"])
    }

    /// Waits until the watch records, for ten seconds at most.
    func awaitWatch() throws {
        try fixture.shell(
            "for i in {1..500}; do grep -qs 'recording from' run-*.out && exit; sleep 0.02; done;"
                + " cat run-*; exit 1")
    }

    /// Waits until the watch has said something, for ten seconds at most.
    func awaitWords(_ words: String, times: Int = 1) throws {
        try fixture.shell(
            "for i in {1..500}; do [ $(cat run-*.out run-*.err | grep -c '\(words)') -ge \(times) ]"
                + " && exit; sleep 0.02; done; cat run-*; exit 1")
    }

    /// Waits until the journal has not grown for a while.
    func awaitJournalled() throws {
        try fixture.shell(
            "a=; while b=$(find data -name 'part-*' -printf '%p %s '); [ \"$a\" != \"$b\" ];"
                + " do a=$b; sleep 0.3; done")
    }

    /// Waits until the repository has all that was committed.
    func awaitSealed() throws {
        expect(try fixture.run("backup", database), code: 0)
    }

    /// Ends the watch as a service manager does, and expects it to have done well.
    func stopWatch(code: Int32 = 0) throws -> RunResult {
        try kill(SIGTERM)
        let run = try #require(watch)
        watch = nil
        let result = try run.finish()
        try fixture.shell("rm -f run-*")
        return expect(result, code: code)
    }

    func kill(_ signal: Int32) throws {
        guard let watch else { return }
        watch.process.kill(signal)
        guard signal == SIGKILL else { return }
        _ = try watch.process.wait()
        self.watch = nil
        try fixture.shell("rm -f run-*")
    }

    // MARK: What was recorded

    /// Lines of the history that tell of gaps.
    func gaps() throws -> [String] {
        let history = expect(try fixture.run("history", "--limit", "1000000", database), code: 0)
        return history.output.split(separator: "\n").filter { $0.contains("were missed from") }
            .map(String.init)
    }

    /// The sequence numbers of all restore points of the newest epoch, in order.
    func positions() throws -> [(epoch: Int, sequence: Int)] {
        let history = expect(
            try fixture.run("history", "--json", "--limit", "1000000", database), code: 0)
        return history.output.split(separator: "\n").compactMap { line in
            guard line.contains("restore_point"), !line.contains("\"kind\":\"gap\""),
                let start = line.end(of: "\"position\":\"")
            else { return nil }
            let parts = line[start...].prefix { $0 != "\"" }.split(separator: "/").map { Int($0) }
            guard parts.count == 2, let epoch = parts[0], let sequence = parts[1] else {
                return nil
            }
            return (epoch, sequence)
        }.sorted { ($0.1, $0.0) < ($1.1, $1.0) }
    }

    /// Restores a position and proves the state; answers its counter.
    func counter(at position: (epoch: Int, sequence: Int)) throws -> Int {
        try fixture.shell("rm -rf back")
        let name = "\(position.epoch)/\(position.sequence)"
        let run = try fixture.run(
            "restore", "--position", name, "--database", database, "--target",
            fixture.root + "/back")
        try #require(run.code == 0, "\(name): \(run)")
        let answer = try fixture.lines(
            "find back -name live.db | head -n 1 | xargs -I{} sqlite3 {} 'pragma integrity_check;"
                + " select n from counter; select (select total from proof)"
                + " = (select coalesce(sum(v), 0) from row)'")
        try #require(answer.count == 3, "\(name): \(answer)")
        #expect(answer[0] == "ok" && answer[2] == "1", "\(name): \(answer)")
        return try #require(Int(answer[1]))
    }
}
