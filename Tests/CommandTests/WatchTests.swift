import Glibc
import Platform
import Testing

/// `holdfast watch` beside ordinary programs that write, checkpoint, vacuum and go away.
@Suite struct WatchTests {
    private static let samples = TestExtent.isFull ? 1000 : 12

    @Test func everyCommitIsAPositionThatRestoresToIt() throws {
        let scene = try WatchScene()
        let first = try scene.write(3)
        try scene.startWatch()
        try scene.awaitWatch()
        let last = try scene.write(300, pause: 0.001)
        _ = try scene.stopWatch()
        let positions = try scene.positions()
        let base = try #require(positions.first)
        #expect(positions.count == last - first + 1)
        for _ in 0..<Self.samples {
            let position = try #require(positions.randomElement())
            #expect(
                try scene.counter(at: position) == first + position.sequence - base.sequence)
        }
    }

    @Test func othersMayCheckpointAndVacuumMeanwhile() throws {
        let scene = try WatchScene()
        let first = try scene.write(3)
        try scene.startWatch()
        try scene.awaitWatch()
        let writer = try scene.startWriting(400, pause: 0.002)
        for kind in ["PASSIVE", "FULL", "RESTART", "TRUNCATE", "RESTART", "TRUNCATE"] {
            _ = try scene.sql("PRAGMA wal_checkpoint(\(kind))")
        }
        _ = try writer.wait()
        _ = try scene.sql("VACUUM")
        let last = try scene.write(20)
        _ = try scene.stopWatch()
        let positions = try scene.positions()
        let end = try #require(positions.last)
        #expect(positions.count >= last - first + 1)
        #expect(try scene.counter(at: end) == last)
        for _ in 0..<Self.samples {
            let position = try #require(positions.randomElement())
            #expect(try (first...last).contains(scene.counter(at: position)))
        }
    }

    @Test func aWatchThatIsKilledAgainAndAgainInventsNothingAndEndsWithAll() throws {
        let scene = try WatchScene()
        let first = try scene.write(3)
        let writer = try scene.startWriting(900, pause: 0.004)
        for _ in 0..<(TestExtent.isFull ? 100 : 4) {
            try scene.startWatch()
            try scene.awaitWatch()
            usleep(.random(in: 50_000...600_000))
            try scene.kill(SIGKILL)
        }
        _ = try writer.wait()
        try scene.startWatch()
        try scene.awaitWatch()
        let last = try scene.write(5)
        _ = try scene.stopWatch()
        let positions = try scene.positions()
        #expect(try scene.counter(at: try #require(positions.last)) == last)
        let some = (0..<Self.samples).compactMap { _ in positions.randomElement() }
            .sorted { $0.sequence < $1.sequence }
        var earlier = first
        for position in some {
            let counter = try scene.counter(at: position)
            #expect(counter >= earlier && counter <= last)
            earlier = counter
        }
    }

    @Test func aBackupMeanwhileNamesTheStateThatTheWatchRecorded() throws {
        let scene = try WatchScene()
        _ = try scene.write(3)
        try scene.startWatch(seal: "1h")
        try scene.awaitWatch()
        let count = try scene.write(50)
        let backup = expect(try scene.fixture.run("backup", "-v", scene.database), code: 0)
        #expect(
            backup.description.contains("as the watch that records it has it, at 1/\(count - 2)"))
        _ = try scene.write(50)
        _ = try scene.stopWatch()
        expect(try scene.fixture.run("restore", "latest", "-t", scene.fixture.target), code: 0)
        let found = try scene.fixture.lines(
            "find target -name live.db | xargs -I{} sqlite3 {} 'select n from counter'")
        #expect(found == ["\(count)"])
        expect(try scene.fixture.run("verify", "--read-data"), code: 0)
    }

    @Test func aDatabaseThatWasNeverRecordedIsNamedAtTheEnd() throws {
        let scene = try WatchScene()
        try scene.write(3)
        try scene.fixture.shell("head -c 9000 /dev/urandom >junk.db")
        try scene.startWatch(besides: [scene.fixture.root + "/junk.db"])
        try scene.awaitWatch()
        let run = try scene.stopWatch(code: 3)
        #expect(run.errors.contains("junk.db: what it holds now is not recorded"), "\(run)")
    }

    @Test func anotherWatchOfAnotherNameOfTheFileIsRefused() throws {
        let scene = try WatchScene()
        try scene.write(3)
        try scene.startWatch()
        try scene.awaitWatch()
        // In a directory, so that it comes while the other watch runs.
        try scene.fixture.shell("mkdir hard")
        let root = scene.fixture.root
        let other = try scene.fixture.start(["watch", root + "/hard", "--data", root + "/data2"])
        try scene.fixture.shell("ln live.db hard/link.db")
        try scene.awaitWords("link.db, by this or another name, is held by")
        #expect(try scene.fixture.lines("ls hard") == ["link.db"])
        // Once another file lies there nobody records that one.
        try scene.fixture.shell("cp live.db new.db; mv new.db live.db")
        try scene.awaitWords("link.db: recording from")
        other.process.kill(SIGTERM)
        expect(try other.finish(), code: 0)
        try scene.kill(SIGKILL)
    }

    @Test func aDatabaseWithoutALogIsRecordedAsItChanges() throws {
        let scene = try WatchScene()
        try scene.write(3, mode: "delete")
        try scene.startWatch()
        try scene.awaitWatch()
        let last = try scene.write(5, mode: "delete")
        usleep(2_500_000)
        _ = try scene.stopWatch()
        #expect(try scene.counter(at: try #require(try scene.positions().last)) == last)
    }

    @Test func theLogIsEmptyOnceNobodyElseHasTheDatabaseOpen() throws {
        let scene = try WatchScene()
        try scene.write(3)
        try scene.startWatch()
        try scene.awaitWatch()
        let last = try scene.write(40)
        try scene.fixture.shell(
            "for i in {1..200}; do [ -s live.db-wal ] || exit 0; sleep 0.05; done; exit 1")
        try scene.fixture.shell("cp live.db copy.db")
        #expect(
            try scene.fixture.lines("sqlite3 copy.db 'select n from counter'") == ["\(last)"])
        _ = try scene.stopWatch()
    }

    /// The one is another file then, the other keeps its inode.
    @Test(arguments: ["mv", "cp"])
    func anOlderFilePutBackBeginsAnEpochAndTheLostTailStays(_ tool: String) throws {
        let scene = try WatchScene()
        try scene.write(3)
        try scene.startWatch()
        try scene.awaitWatch()
        let old = try scene.write(10)
        _ = try scene.stopWatch()
        try scene.fixture.shell("cp live.db old.db")
        try scene.startWatch()
        try scene.awaitWatch()
        let lost = try scene.write(10)
        _ = try scene.stopWatch()
        let tail = try #require(try scene.positions().last)
        try scene.fixture.shell("rm -f live.db-wal live.db-shm; \(tool) old.db live.db")
        try scene.startWatch()
        try scene.awaitWatch()
        let next = try scene.write(1)
        _ = try scene.stopWatch()
        let end = try #require(try scene.positions().last { $0.epoch == tail.epoch + 1 })
        #expect(next == old + 1)
        #expect(try scene.counter(at: end) == next)
        #expect(try scene.counter(at: tail) == lost)
    }

    @Test func aStateIsBroughtBackNowAndThenAndOneThatCannotBeIsAnAlarm() throws {
        let scene = try WatchScene()
        try scene.write(3)
        try scene.startWatch(seal: "200ms", "--self-check", "300ms", "-v")
        try scene.awaitWatch()
        try scene.write(20)
        try scene.awaitWords("was restored from the repository")
        // Every pack loses its middle: no state has a base any more.
        try scene.fixture.shell(
            "for f in repository/packs/*; do s=$(stat -c %s $f);"
                + " printf hurt | dd of=$f bs=1 seek=$((s / 2)) conv=notrunc status=none; done")
        try scene.awaitWords("ALARM")
        let run = try scene.stopWatch(code: 3)
        #expect(run.errors.contains("does not restore"))
    }

    @Test func aDirectoryThatIsMadeAnewIsLookedAtSoon() throws {
        let scene = try WatchScene()
        try scene.write(3)
        try scene.fixture.shell(
            "mkdir in; sqlite3 in/a.db 'pragma journal_mode=wal; create table t (x)'")
        try scene.startWatch(besides: [scene.fixture.root + "/in/a.db"])
        try scene.awaitWords("in/a.db: recording from")
        try scene.fixture.shell("cp -a in out; rm -r in")
        try scene.awaitWords("in/a.db: the file is gone")
        try scene.fixture.shell("mv out in")
        try scene.awaitWords("in/a.db: recording from", times: 2)
        _ = try scene.stopWatch()
    }

    @Test func nothingFollowsAStateThatSomethingIsMissingOf() throws {
        let scene = try WatchScene()
        try scene.write(3)
        try scene.startWatch(seal: "100ms")
        try scene.awaitWatch()
        for _ in 0..<3 {
            try scene.write(2)
            try scene.awaitSealed()
        }
        _ = try scene.stopWatch()
        // Behind the one with the base, in the middle of the way back.
        try scene.fixture.shell(
            "rm $(find repository/segments -type f -printf '%T@ %p\\n' | sort -n | sed -n 2p"
                + " | cut -d' ' -f2)")
        try scene.startWatch()
        try scene.awaitWatch()
        let last = try scene.write(2)
        let run = try scene.stopWatch(code: 3)
        #expect(run.errors.contains("ALARM"), "\(run)")
        #expect(try scene.counter(at: try #require(try scene.positions().last)) == last)
    }

    @Test func aStateThatDoesNotRestoreBringsACompleteBase() throws {
        let scene = try WatchScene()
        try scene.write(3)
        try scene.startWatch(seal: "100ms", "--self-check", "200ms", "-v")
        try scene.awaitWatch()
        for _ in 0..<3 {
            try scene.write(2)
            try scene.awaitSealed()
        }
        try scene.fixture.shell(
            "rm $(find repository/segments -type f -printf '%T@ %p\\n' | sort -n | sed -n 2p"
                + " | cut -d' ' -f2)")
        try scene.awaitWords("ALARM")
        try scene.awaitWords("recording from", times: 2)
        let last = try scene.write(2)
        _ = try scene.stopWatch(code: 3)
        #expect(try scene.counter(at: try #require(try scene.positions().last)) == last)
    }
}
