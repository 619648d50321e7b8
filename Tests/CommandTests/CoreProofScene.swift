import Glibc
import Platform
import Simulation
import Testing

/// What the core proof does, and how much of it.
struct CoreProofExtent {
    let seconds: Int
    let commitsPerSecond: Int
    let kills: Int
    let samples: Int
    let longRead: Double
    let vacuumPause: Double

    static var current: CoreProofExtent {
        TestExtent.isFull
            ? CoreProofExtent(
                seconds: 60, commitsPerSecond: 1000, kills: 20, samples: 1000, longRead: 5,
                vacuumPause: 3)
            : CoreProofExtent(
                seconds: 3, commitsPerSecond: 300, kills: 2, samples: 10, longRead: 1,
                vacuumPause: 0.7)
    }
}

/// A database that one process writes and others disturb, while its watch is killed again and
/// again.
final class CoreProofScene {
    let scene: WatchScene
    let random: SeededRandomness
    private let extent: CoreProofExtent
    private var others: [Subprocess] = []
    /// From when to when nothing watched, at least.
    private(set) var absences: [ClosedRange<Int64>] = []
    private var targets = 0

    init(_ extent: CoreProofExtent, seed: UInt64) throws {
        self.extent = extent
        random = SeededRandomness(seed: seed)
        scene = try WatchScene()
        let script = try Descriptor.open(
            FilePath(scene.fixture.root + "/core.py"), flags: O_WRONLY | O_CREAT)
        try Array(CoreProofScene.script.utf8).withUnsafeBytes { try script.write($0) }
    }

    deinit {
        for process in others { process.kill(SIGKILL) }
    }

    /// Nanoseconds since 1970, by the clock that the writer and the watch go by.
    private static var now: Int64 {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }

    // MARK: The run

    /// Lets everybody loose until the writer has ended; then the watch records the rest and ends.
    func run() throws {
        let writer = try start(
            "write", "\(extent.seconds)", "\(extent.commitsPerSecond)", "\(random.below(1 << 30))")
        try scene.fixture.shell("for i in {1..1000}; do [ -e ready ] && exit; sleep 0.01; done")
        try scene.startWatch()
        try scene.awaitWatch()
        let disturbers = try [
            start("check", "\(random.below(1 << 30))"),
            start("vacuum", "\(extent.vacuumPause)", "\(random.below(1 << 30))"),
            start("read", "\(extent.longRead)"),
        ]
        try scene.fixture.shell("touch go")
        for _ in 0..<extent.kills { try killAndStart() }
        try scene.awaitWatch()
        pause(mostMicroseconds: 1_000_000)
        try scene.fixture.shell("touch enough")
        #expect(try writer.wait().isSuccess)
        try scene.fixture.shell("touch done")
        for process in disturbers { #expect(try process.wait().isSuccess) }
        try scene.awaitWatch()
        _ = try scene.stopWatch()
    }

    private func killAndStart() throws {
        // Now and then it is killed before it has begun.
        if random.chance(2, in: 3) { try scene.awaitWatch() }
        pause(mostMicroseconds: 1_500_000 * extent.seconds / (extent.kills + 1))
        try scene.kill(SIGKILL)
        let down = CoreProofScene.now
        pause(mostMicroseconds: 300_000)
        absences.append(down...CoreProofScene.now)
        try scene.startWatch()
    }

    private func pause(mostMicroseconds: Int) {
        usleep(useconds_t(random.below(mostMicroseconds)))
    }

    private func start(_ words: String...) throws -> Subprocess {
        let root = scene.fixture.root
        let process = try Subprocess(
            ["python3", root + "/core.py", words[0], root] + words.dropFirst(), output: .null)
        others.append(process)
        return process
    }

    // MARK: What came of it

    func log() throws -> [WrittenCommit] {
        try scene.fixture.lines("cat writer.log").map { try WrittenCommit($0) }
    }

    func history() throws -> [RecordedPoint] {
        let history = expect(
            try scene.fixture.run("history", "--json", "--limit", "0", scene.database), code: 0)
        let file = try Descriptor.open(
            FilePath(scene.fixture.root + "/history"), flags: O_WRONLY | O_CREAT | O_TRUNC)
        try Array(history.output.utf8).withUnsafeBytes { try file.write($0) }
        return try scene.fixture.lines("python3 core.py history . <history").map {
            try RecordedPoint($0)
        }.sorted { $0.sequence < $1.sequence }
    }

    /// Runs `restore --json` into a directory of its own.
    func restore(_ words: String...) throws -> (run: RunResult, target: String) {
        targets += 1
        let target = "back/\(targets)"
        let run = try scene.fixture.start(
            ["restore", "--json", "--database", scene.database, "--target"]
                + [scene.fixture.root + "/" + target] + words
        ).finish()
        return (run, target)
    }

    /// Proves restored databases, and removes them.
    func states(in targets: [String]) throws -> [RestoredState] {
        guard !targets.isEmpty else { return [] }
        let paths = targets.map { $0 + scene.database }.joined(separator: " ")
        let lines = try scene.fixture.lines("python3 core.py prove . \(paths); rm -rf back")
        return try lines.map { try RestoredState($0) }
    }
}

extension CoreProofScene {
    /// Each role of the run, by name.
    fileprivate static let script = """
        import sqlite3, sys, time, random, hashlib, zlib, os, json
        from datetime import datetime
        role, root, args = sys.argv[1], sys.argv[2], sys.argv[3:]
        path = root + '/live.db'

        def opened(patience):
            c = sqlite3.connect(path, isolation_level=None, timeout=patience)
            c.execute('pragma synchronous=normal')
            return c

        def going():
            return os.path.exists(path) and not os.path.exists(root + '/done')

        class Writer:
            def __init__(self, seed):
                random.seed(seed)
                self.n, self.total, self.chain, self.values, self.log = 0, 0, '', {}, []
                self.c = opened(60)
                self.c.execute('pragma journal_mode=wal')
                # Small, so that long transactions spill frames that count for nothing yet.
                self.c.execute('pragma cache_size=20')
                self.c.execute('begin')
                self.c.execute('create table counter (n int)')
                self.c.execute('create table proof (total int, rows int, chain text)')
                self.c.execute(
                    'create table row (id integer primary key, v int, sum int, b blob)')
                self.c.execute('insert into counter values (0)')
                self.c.execute("insert into proof values (0, 0, '')")
                self.first = self.next = 1
                for _ in range(800): self.insert()
                self.commit()

            def insert(self):
                v, b = random.randrange(1000), random.randbytes(random.randrange(900))
                self.c.execute('insert into row values (?, ?, ?, ?)',
                    (self.next, v, zlib.crc32(b), b))
                self.values[self.next] = v
                self.total += v
                self.next += 1

            def change(self):
                which, v = random.randrange(self.first, self.next), random.randrange(1000)
                self.c.execute('update row set v = ? where id = ?', (v, which))
                self.total += v - self.values[which]
                self.values[which] = v

            def drop(self):
                self.c.execute('delete from row where id = ?', (self.first,))
                self.total -= self.values.pop(self.first)
                self.first += 1

            def commit(self):
                text = f'{self.chain} {self.n} {self.total} {len(self.values)}'
                self.chain = hashlib.sha256(text.encode()).hexdigest()[:16]
                self.c.execute('update counter set n = ?', (self.n,))
                self.c.execute('update proof set total = ?, rows = ?, chain = ?',
                    (self.total, len(self.values), self.chain))
                before = time.time_ns()
                self.c.execute('commit')
                after = time.time_ns()
                self.log.append(
                    f'{self.n} {self.chain} {self.total} {len(self.values)} {before} {after}')

            def step(self):
                self.n += 1
                self.c.execute('begin immediate')
                self.insert(); self.change()
                while len(self.values) > random.randrange(600, 1000): self.drop()
                self.commit()

            def give_up(self):
                self.c.execute('begin immediate')
                for i in range(60):
                    self.c.execute('insert into row values (null, 0, 0, randomblob(2000))')
                self.c.execute('rollback')

        def write(seconds, rate, seed):
            writer = Writer(int(seed))
            open(root + '/ready', 'w').close()
            while not os.path.exists(root + '/go'): time.sleep(0.005)
            due = time.monotonic()
            end = due + float(seconds)
            while time.monotonic() < end or not os.path.exists(root + '/enough'):
                due += 1 / float(rate)
                pause = due - time.monotonic()
                if pause > 0: time.sleep(pause)
                writer.step()
                if writer.n % 97 == 0: writer.give_up()
            with open(root + '/writer.log', 'w') as f: f.write('\\n'.join(writer.log) + '\\n')

        def tolerating(body):
            try: body()
            except sqlite3.OperationalError as error:
                if 'locked' not in str(error): raise

        def check(seed):
            random.seed(int(seed))
            c = opened(0.2)
            while going():
                for mode in ['PASSIVE', 'FULL', 'RESTART', 'TRUNCATE']:
                    time.sleep(random.uniform(0.02, 0.2))
                    tolerating(lambda: c.execute(f'pragma wal_checkpoint({mode})').fetchall())

        def vacuum(pause, seed):
            random.seed(int(seed))
            c = opened(10)
            while going():
                time.sleep(random.uniform(0.3, 1) * float(pause))
                tolerating(lambda: c.execute('vacuum'))

        def read(seconds):
            c = opened(10)
            while going():
                c.execute('begin')
                look = lambda: c.execute('select n, total, (select sum(v) from row)'
                    ' from counter, proof').fetchone()
                first = look()
                end = time.monotonic() + float(seconds)
                while time.monotonic() < end and going(): time.sleep(0.05)
                last = look()
                c.execute('rollback')
                assert first == last and first[1] == first[2], (first, last)
                time.sleep(0.2)

        def nanoseconds(text):
            second = datetime.fromisoformat(text[:19] + text[29:])
            return int(second.timestamp()) * 10**9 + int(text[20:29])

        def history():
            for line in sys.stdin:
                r = json.loads(line)
                if r['message_type'] != 'restore_point': continue
                epoch, sequence = r['position'].split('/')
                print(epoch, sequence, r['kind'], int(r['compared']), nanoseconds(r['time']),
                    nanoseconds(r['not_before']), r['changed_pages'], r['pages'])

        def prove(*paths):
            for path in paths:
                c = sqlite3.connect(f'file:{path}?immutable=1', uri=True)
                one = lambda sql: c.execute(sql).fetchone()
                n, = one('select n from counter')
                total, rows, chain = one('select total, rows, chain from proof')
                schema, = one('pragma schema_version')
                found = [(v, s, b) for v, s, b in c.execute('select v, sum, b from row')]
                good = (one('pragma integrity_check')[0] == 'ok' and len(found) == rows
                    and sum(v for v, _, _ in found) == total
                    and all(zlib.crc32(b) == s for _, s, b in found))
                print(n, chain, total, rows, schema, int(good))
                c.close()

        globals()[role](*args)
        """
}
