import Glibc
import Platform
import Testing

/// The repository is gone, takes no writes, or is full, while `holdfast watch` records.
@Suite struct AwayTests {
    /// How a repository is away, and what brings it back.
    struct Absence: Sendable, CustomStringConvertible {
        let description: String
        let begins: String
        let ends: String
        /// What the log says of it.
        let words: String
    }

    static let absences = [
        Absence(
            description: "gone", begins: "mv repository elsewhere",
            ends: "mv elsewhere repository", words: "there is no repository at"),
        Absence(
            description: "read-only",
            // Not while a file is being written.
            begins: "for i in {1..500}; do mount -o remount,ro repository 2>&1 && exit;"
                + " sleep 0.01; done; exit 1",
            ends: "mount -o remount,rw repository", words: "no access to the repository"),
        Absence(
            description: "full",
            begins: "dd if=/dev/zero of=repository/filler bs=4k status=none || true",
            ends: "rm repository/filler", words: "No space left on device"),
    ]

    @Test(arguments: absences)
    func commitsWaitInTheJournalAndFollowByThemselves(_ absence: Absence) throws {
        let needsMount = absence.description != "gone"
        guard TestExtent.isRoot || !needsMount else { return }
        let scene = try WatchScene(repositoryMebibytes: needsMount ? 8 : nil)
        let first = try scene.write(3)
        try scene.startWatch(seal: "100ms")
        try scene.awaitWatch()
        try scene.write(20)
        try scene.fixture.shell(absence.begins)
        try scene.write(30, pause: 0.005)
        try scene.awaitWords("the repository cannot be written: .*\(absence.words)")
        try scene.fixture.shell(absence.ends)
        try scene.awaitWords("the repository is back")
        let last = try scene.write(5)
        let run = try scene.stopWatch()
        #expect(run.errors.split(separator: "\n").count == 1, "\(run)")
        let positions = try scene.positions()
        #expect(positions.count == last - first + 1)
        let base = try #require(positions.first)
        for position in [positions[10], positions[40], try #require(positions.last)] {
            #expect(
                try scene.counter(at: position) == first + position.sequence - base.sequence)
        }
        // Attempts that failed left nothing behind.
        #expect(try scene.fixture.lines("ls repository/leases") == [])
    }

    @Test func aFullJournalBlocksNobodyAndTheGapIsSaid() throws {
        let scene = try WatchScene()
        try scene.write(3)
        try scene.startWatch(configured: "seal: \"100ms\", journalLimit: \"1MiB\"")
        try scene.awaitWatch()
        let before = try scene.write(20)
        try scene.awaitSealed()
        try scene.fixture.shell("mv repository elsewhere")
        try scene.write(1000)
        try scene.awaitWords("the journal is full")
        try scene.write(50)
        try scene.fixture.shell("mv elsewhere repository")
        try scene.awaitWords("commits were made that are not recorded one by one")
        let last = try scene.write(5)
        let run = try scene.stopWatch(code: 3)
        #expect(run.errors.contains("the repository cannot be written"), "\(run)")
        let positions = try scene.positions()
        #expect(positions.count < last)
        #expect(try scene.counter(at: try #require(positions.last)) == last)
        // All that was before the gap is there, commit by commit, and more of it from the journal.
        #expect(positions.count > before + 5 + 10)
        let gaps = try scene.gaps()
        #expect(gaps.count == 1, "\(gaps)")
    }

    @Test func aWatchThatEndsMeanwhileLeavesItToTheNextOne() throws {
        let scene = try WatchScene()
        let first = try scene.write(3)
        try scene.startWatch(seal: "100ms")
        try scene.awaitWatch()
        try scene.write(10)
        try scene.fixture.shell("mv repository elsewhere")
        try scene.write(10)
        let run = try scene.stopWatch(code: 10)
        #expect(run.errors.contains("wait in the journal"), "\(run)")
        #expect(run.errors.contains("there is no repository at"), "\(run)")
        try scene.fixture.shell("mv elsewhere repository")
        try scene.startWatch(seal: "100ms")
        try scene.awaitWords("nothing was missed")
        let last = try scene.write(5)
        _ = try scene.stopWatch()
        let positions = try scene.positions()
        #expect(positions.count == last - first + 1)
        #expect(try scene.counter(at: try #require(positions.last)) == last)
    }

    @Test func anotherRepositoryInItsPlaceIsLeftAlone() throws {
        let scene = try WatchScene()
        let first = try scene.write(3)
        try scene.startWatch(seal: "100ms")
        try scene.awaitWatch()
        try scene.fixture.shell("mv repository elsewhere")
        expect(try scene.fixture.run("init"), code: 0)
        try scene.write(10)
        try scene.awaitWords("another repository")
        #expect(
            try scene.fixture.lines("cd repository; ls segments packs leases claims | grep -v :")
                == [])
        try scene.fixture.shell("mv repository foreign; mv elsewhere repository")
        try scene.awaitWords("the repository is back")
        let last = try scene.write(5)
        _ = try scene.stopWatch()
        #expect(try scene.positions().count == last - first + 1)
    }

    @Test func anIdleDatabaseDoesNotTellThatTheRepositoryIsBack() throws {
        let scene = try WatchScene()
        try scene.write(3)
        try scene.fixture.shell("sqlite3 idle.db 'pragma journal_mode=wal; create table t (x)'")
        try scene.startWatch(besides: [scene.fixture.root + "/idle.db"], seal: "100ms")
        try scene.awaitWords("live.db: recording from")
        try scene.fixture.shell("mv repository elsewhere")
        try scene.write(3)
        try scene.awaitWords("the repository cannot be written")
        usleep(2_000_000)
        try scene.fixture.shell("mv elsewhere repository")
        try scene.awaitWords("the repository is back")
        let run = try scene.stopWatch()
        #expect(run.errors.split(separator: "\n").count == 1, "\(run)")
    }

    @Test func aJournalThatIsHurtKeepsNoOtherDatabaseWaiting() throws {
        let scene = try WatchScene()
        let first = try scene.write(3)
        try scene.fixture.shell("sqlite3 hurt.db 'pragma journal_mode=wal; create table t (x)'")
        try scene.startWatch(besides: [scene.fixture.root + "/hurt.db"], seal: "100ms")
        try scene.awaitWords("live.db: recording from")
        try scene.fixture.shell("mv repository elsewhere")
        try scene.fixture.shell(
            """
            sqlite3 hurt.db 'insert into t values (randomblob(20000))'
            for i in {1..500}; do
                [ -n "$(find data -name 'part-*' -size +8k)" ] && break; sleep 0.01
            done
            dd if=/dev/zero of=$(find data -name 'part-*' -size +8k) bs=1k seek=4 count=1 \
                conv=notrunc status=none
            mv elsewhere repository
            """)
        let last = try scene.write(5)
        try scene.awaitWords("ALARM.*hurt")
        let run = try scene.stopWatch(code: 3)
        #expect(run.errors.contains("/hurt-"), "\(run)")
        #expect(try scene.positions().count == last - first + 1)
    }

    @Test func aHurtJournalIsSealedAsFarAsItIsWholeAndRecordingGoesOn() throws {
        let scene = try WatchScene()
        let first = try scene.write(3)
        try scene.startWatch(seal: "1h")
        try scene.awaitWatch()
        for _ in 0..<10 { try scene.write(1) }
        try scene.awaitJournalled()
        try scene.kill(SIGKILL)
        try scene.fixture.shell(
            "f=$(find data -name 'part-*' | sort | tail -n 1); s=$(stat -c %s $f);"
                + " printf XX | dd of=$f bs=1 seek=$((s / 2)) conv=notrunc status=none")
        try scene.startWatch(seal: "100ms")
        try scene.awaitWatch()
        let last = try scene.write(3)
        let run = try scene.stopWatch(code: 3)
        #expect(run.errors.contains("ALARM"), "\(run)")
        #expect(try scene.fixture.lines("find data -name 'hurt-*'").count == 1)
        let positions = try scene.positions()
        #expect(positions.count < last - first + 1 && positions.count > 4)
        #expect(try scene.counter(at: try #require(positions.last)) == last)
        #expect(try scene.gaps().count == 1)
    }
}

/// The disk that journals lie on is full.
@Suite(.enabled(if: TestExtent.isRoot, "only root may mount: full disks are NOT tested"))
struct FullJournalTests {
    private func scene() throws -> WatchScene {
        let scene = try WatchScene()
        try scene.mount("data", mebibytes: 2)
        return scene
    }

    private let fill = "dd if=/dev/zero of=data/filler bs=4k status=none || true"

    @Test func commitsWaitInTheDatabasesLog() throws {
        let scene = try scene()
        let first = try scene.write(3)
        try scene.startWatch(seal: "1h")
        try scene.awaitWatch()
        try scene.write(20)
        try scene.fixture.shell(fill)
        try scene.write(60, pause: 0.002)
        try scene.awaitWords("No space left on device; make room there")
        try scene.fixture.shell("rm data/filler")
        let last = try scene.write(5)
        _ = try scene.stopWatch()
        let positions = try scene.positions()
        #expect(positions.count == last - first + 1)
        #expect(try scene.counter(at: try #require(positions.last)) == last)
    }

    @Test func aWatchThatBeginsThenSaysSoAndGoesOnOnceThereIsRoom() throws {
        let scene = try scene()
        let first = try scene.write(3)
        try scene.startWatch(seal: "1h")
        try scene.awaitWatch()
        try scene.write(20)
        try scene.fixture.shell(
            "for i in {1..200}; do [ -s live.db-wal ] || exit 0; sleep 0.05; done; exit 1")
        try scene.kill(SIGKILL)
        try scene.fixture.shell(fill)
        try scene.startWatch(seal: "100ms")
        try scene.awaitWords("No space left on device; make room there")
        try scene.fixture.shell("rm data/filler")
        try scene.awaitWatch()
        let last = try scene.write(5)
        _ = try scene.stopWatch()
        let positions = try scene.positions()
        #expect(positions.count == last - first + 1)
        #expect(try scene.counter(at: try #require(positions.last)) == last)
    }
}
