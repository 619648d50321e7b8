import Glibc
import Platform
import Testing

/// Backups that are killed, starved of room, or stopped while the world moves on.
@Suite(.serialized)
struct CrashTests {
    /// Starts a backup of `source`, and returns once it has claimed what it needs.
    private func startBackup(_ fixture: HoldfastFixture) throws -> StartedRun {
        try fixture.shell("rm -rf repository/claims/*")
        let run = try fixture.start(["backup", fixture.source])
        try fixture.shell(
            "for i in {1..1000}; do ls repository/claims | grep -q . && exit; sleep 0.002; done; exit 1"
        )
        return run
    }

    private func largeSource() throws -> HoldfastFixture {
        let fixture = try HoldfastFixture()
        try fixture.shell("mkdir source/d; seq 1000 | tee source/d/{1..50} >/dev/null")
        try expect(fixture.run("backup", fixture.source), code: 0)
        try fixture.shell("head -c 12M /dev/urandom >source/large")
        return fixture
    }

    private func expectSoundRepository(_ fixture: HoldfastFixture, snapshots: Int) throws {
        try expectSoundRepository(fixture, snapshots: snapshots...snapshots)
    }

    private func expectSoundRepository(
        _ fixture: HoldfastFixture, snapshots: ClosedRange<Int>
    ) throws {
        try expect(fixture.run("verify", "--read-data"), code: 0)
        let listing = try fixture.run("snapshots", "--json")
        #expect(snapshots.contains(listing.output.split(separator: "\n").count), "\(listing)")
    }

    private func mutate(_ fixture: HoldfastFixture, _ number: Int) throws {
        try fixture.shell(
            "head -c 300K /dev/urandom >source/d/$((\(number) % 300 + 1)); "
                + "sqlite3 source/d.db 'UPDATE t SET x = randomblob(900) WHERE rowid % 97 = 5'")
    }

    @Test func backupKilledAtAnyMomentLeavesTheRepositoryWhole() throws {
        let fixture = try HoldfastFixture()
        try fixture.shell(
            """
            head -c 3M /dev/urandom >source/f; mkdir source/d; seq 500 | tee source/d/{1..300} >/dev/null
            sqlite3 source/d.db "CREATE TABLE t AS SELECT randomblob(900) AS x FROM
                (WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n LIMIT 2000)
                SELECT i FROM n)"
            """)
        try expect(fixture.run("backup", fixture.source), code: 0)
        let clock = SystemClock()
        let start = clock.bootTime()
        try mutate(fixture, 0)
        try expect(fixture.run("backup", fixture.source), code: 0)
        let whole = clock.bootTime() - start
        let seed = UInt64.random(in: 0 ... .max)
        var random = Steps(state: seed)
        var finished = 2
        let kills = TestExtent.isFull ? 200 : 10
        for kill in 1...kills {
            try mutate(fixture, kill)
            let run = try fixture.start(["backup", fixture.source])
            clock.sleep(nanoseconds: random.next() % (whole * 3 / 2))
            run.process.kill(SIGKILL)
            if try run.finish().code == 0 { finished += 1 }
            if kill % 20 == 0 {
                try expectSoundRepository(fixture, snapshots: finished...kill + 2)
            }
        }
        print("\(kills) kills, seed \(seed), \(finished - 2) of the backups were faster")
        // One that was killed between its snapshot and its end has made the snapshot.
        try expectSoundRepository(fixture, snapshots: finished...kills + 2)
        let last = expect(try fixture.run("backup", fixture.source), code: 0)
        #expect(last.errors.isEmpty, "seed \(seed): \(last)")
        try expect(
            fixture.run("restore", "latest:\(fixture.source)", "-t", fixture.target, "--verify"),
            code: 0)
        try fixture.expectSame()
        try expect(fixture.run("unlock"), code: 0)
        #expect(try fixture.lines("ls -A repository/leases") == [], "seed \(seed)")
    }

    @Test(.enabled(if: TestExtent.isRoot, "only root may mount: the full disk is NOT tested"))
    func fullDiskFailsTheBackupAndNothingElse() throws {
        let fixture = try HoldfastFixture(makesRepository: false)
        try fixture.shell(
            "mkdir repository; mount -t tmpfs -o size=4m none repository; echo x >source/f")
        defer { _ = try? fixture.shell("umount -l repository") }
        try expect(fixture.run("init"), code: 0)
        try expect(fixture.run("backup", fixture.source), code: 0)
        try fixture.shell("head -c 9M /dev/urandom >source/large")
        for _ in 0..<2 {
            let run = expect(try fixture.run("backup", fixture.source), code: 1)
            #expect(run.errors.contains("No space left on device"), "\(run)")
            #expect(run.errors.contains(fixture.repository), "\(run)")
        }
        try expectSoundRepository(fixture, snapshots: 1)
        #expect(try fixture.lines("ls -A repository/leases") == [])
        try fixture.shell("mount -o remount,size=80m repository")
        try expect(fixture.run("backup", fixture.source), code: 0)
        try expectSoundRepository(fixture, snapshots: 2)
    }

    @Test func secondBackupOfTheSamePathsIsLockedOutOrWaits() throws {
        let fixture = try largeSource()
        try fixture.shell("mkdir elsewhere; echo x >elsewhere/f")
        let first = try startBackup(fixture)
        first.process.kill(SIGSTOP)
        let second = expect(try fixture.run("backup", fixture.source), code: 11)
        #expect(second.errors.contains("process \(first.process.processID)"), "\(second)")
        #expect(second.errors.contains("--retry-lock"), "\(second)")
        try expect(fixture.run("backup", fixture.root + "/elsewhere"), code: 0)
        let patient = try fixture.start(["backup", "--retry-lock", "60s", fixture.source])
        SystemClock().sleep(nanoseconds: 300_000_000)
        first.process.kill(SIGCONT)
        expect(try first.finish(), code: 0)
        expect(try patient.finish(), code: 0)
        try expectSoundRepository(fixture, snapshots: 4)
    }

    @Test(arguments: [SIGINT, SIGTERM, SIGHUP])
    func interruptedBackupLeavesNothingLocked(signal: Int32) throws {
        let fixture = try largeSource()
        let run = try startBackup(fixture)
        run.process.kill(signal)
        let result = expect(try run.finish(), code: 130)
        #expect(result.errors.contains("interrupted"), "\(result)")
        #expect(try fixture.lines("ls -A repository/leases") == [])
        try expectSoundRepository(fixture, snapshots: 1)
        try expect(fixture.run("backup", fixture.source), code: 0)
    }

    @Test func interruptedRestoreLeavesNoHalfFile() throws {
        let fixture = try largeSource()
        try fixture.shell("for i in {1..8}; do head -c 2M /dev/urandom >source/m$i; done")
        try expect(fixture.run("backup", fixture.source), code: 0)
        let run = try fixture.start(
            ["restore", "latest:\(fixture.source)", "--target", fixture.target])
        try fixture.shell("for i in {1..500}; do [ -e target/d ] && exit; sleep 0.01; done; exit 1")
        run.process.kill(SIGINT)
        let result = try run.finish()
        #expect(result.code == 130, "\(result)")
        #expect(
            try fixture.lines("ls -A repository/leases; cd target; find . -name '.holdfast*'") == []
        )
        try fixture.shell("cd target; for f in *; do [ -d $f ] || cmp $f ../source/$f; done")
    }

    @Test func backupWhoseLeaseWasRevokedFailsAndLeavesNoSnapshot() throws {
        let fixture = try largeSource()
        let run = try startBackup(fixture)
        run.process.kill(SIGSTOP)
        let kept = expect(try fixture.run("unlock", "-v"), code: 0)
        #expect(kept.output.contains("kept the lease of backup"), "\(kept)")
        let unlocked = expect(try fixture.run("unlock", "--remove-all", "-v"), code: 0)
        #expect(unlocked.output.contains("revoked the lease of backup"), "\(unlocked)")
        try expect(fixture.run("backup", fixture.source), code: 0)
        run.process.kill(SIGCONT)
        let result = expect(try run.finish(), code: 1)
        #expect(result.errors.contains("revoked") && result.errors.contains("hint: "), "\(result)")
        #expect(try fixture.lines("ls -A repository/leases") == [])
        try expectSoundRepository(fixture, snapshots: 2)
    }

    @Test func leaseOfAKilledProcessIsKnownToBeDead() throws {
        let fixture = try largeSource()
        let run = try startBackup(fixture)
        run.process.kill(SIGKILL)
        _ = try run.finish()
        #expect(try fixture.lines("ls -A repository/leases").count == 1)
        // Nobody has to guess, or to unlock: the next backup knows.
        try expect(fixture.run("backup", fixture.source), code: 0)
        let second = try startBackup(fixture)
        second.process.kill(SIGKILL)
        _ = try second.finish()
        let unlock = expect(try fixture.run("unlock", "--json"), code: 0)
        #expect(unlock.number("leases_revoked") == 1, "\(unlock)")
        #expect(try fixture.lines("ls -A repository/leases") == [])
        try expectSoundRepository(fixture, snapshots: 2)
    }
}

/// The same numbers for the same seed (SplitMix64).
private struct Steps {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
