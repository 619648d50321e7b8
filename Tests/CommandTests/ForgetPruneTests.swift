import Glibc
import Platform
import Testing

/// `forget` and `prune` as people run them.
@Suite(.serialized)
struct ForgetPruneTests {
    /// A repository with so many snapshots of a database and files that come and go.
    private func fixture(snapshots: Int) throws -> HoldfastFixture {
        let fixture = try HoldfastFixture()
        try fixture.shell(
            """
            mkdir source/d; seq 300 | tee source/d/{1..40} >/dev/null
            sqlite3 source/a.db "CREATE TABLE t AS SELECT randomblob(500) AS x FROM
                (WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n LIMIT 800)
                SELECT i FROM n)"
            """)
        for number in 1...snapshots {
            try change(fixture, number)
            try expect(fixture.run("backup", fixture.source), code: 0)
        }
        return fixture
    }

    private func change(_ fixture: HoldfastFixture, _ number: Int) throws {
        try fixture.shell(
            "head -c 700K /dev/urandom >source/f\(number); rm -f source/f\(number - 2); "
                + "sqlite3 source/a.db 'UPDATE t SET x = randomblob(500) WHERE rowid % 9 = 1'")
    }

    private func ids(_ fixture: HoldfastFixture) throws -> [String] {
        let listing = try fixture.run("snapshots", "--json").output
        var ids: [String] = []
        for line in listing.split(separator: "\n") {
            let texts = line.split(separator: "\"").map(String.init)
            if let id = texts.first(where: { $0.count == 64 }) { ids.append(id) }
        }
        return ids
    }

    private func expectSound(_ fixture: HoldfastFixture, _ snapshots: Int) throws {
        try expect(fixture.run("verify", "--read-data"), code: 0)
        for id in try ids(fixture) {
            try fixture.shell("rm -rf target")
            try expect(
                fixture.run("restore", "\(id):\(fixture.source)", "-t", fixture.target, "--verify"),
                code: 0)
        }
        #expect(try ids(fixture).count == snapshots)
    }

    @Test func aDryRunChangesNothingAndWhatItSaidIsFreedWhileTheRestIsKept() throws {
        let fixture = try fixture(snapshots: 4)
        let before = try fixture.lines("find repository -type f | grep -v claims | sort")
        let shown = expect(
            try fixture.run("forget", "--keep-last", "2", "--prune", "--dry-run"), code: 0)
        for text in ["last", "- goes", "2 snapshots would be removed", "frees in all"] {
            #expect(shown.output.contains(text), "\(shown)")
        }
        let size = Int(try fixture.lines("du -sk repository | cut -f1")[0]) ?? 0
        let dry = try fixture.run("forget", "--keep-last", "2", "--prune", "-n", "--json")
        #expect(try fixture.lines("find repository -type f | grep -v claims | sort") == before)
        let run = expect(
            try fixture.run("forget", "--keep-last", "2", "--prune", "--json"), code: 0)
        #expect(run.number("removed") == 2 && run.number("waiting_files") == 0, "\(run)")
        #expect(dry.number("frees_bytes") == run.number("frees_bytes"))
        let freed = size - (Int(try fixture.lines("du -sk repository | cut -f1")[0]) ?? 0)
        let promised = Int(run.number("frees_bytes") ?? 0) / 1024
        #expect(abs(freed - promised) < 64, "\(freed) KiB: \(run)")
        try expectSound(fixture, 2)
        let again = try fixture.run("prune", "--json")
        #expect(again.number("deleted_files") == 0, "\(again)")
        #expect(try fixture.lines("ls -A repository/marks") == [])
    }

    @Test func aPolicyThatKeepsNothingIsRefusedAndOneThatWouldDeleteAllKeepsTheLast() throws {
        let fixture = try fixture(snapshots: 2)
        let empty = [[], ["--keep-last", "0"], ["--keep-tag", ""]]
        for arguments in empty.map({ ["forget"] + $0 }) {
            let run = expect(try fixture.start(arguments).finish(), code: 2)
            #expect(run.errors.contains("no rule says what stays"), "\(run)")
            #expect(run.errors.contains("hint: "), "\(run)")
        }
        try expect(fixture.run("forget", "--keep-tag", "none", "--prune"), code: 0)
        try expectSound(fixture, 1)
        // Only its id removes the last one.
        try expect(fixture.run("forget", "latest"), code: 0)
        try expect(fixture.run("prune"), code: 0)
        try expectSound(fixture, 0)
        try expect(fixture.run("backup", fixture.source), code: 0)
        try expectSound(fixture, 1)
    }

    @Test func groupsAreJudgedByThemselvesAndFiltersSpareTheRest() throws {
        let fixture = try fixture(snapshots: 2)
        try fixture.shell("mkdir other; echo x >other/x")
        for _ in 0..<2 {
            try expect(fixture.run("backup", "--tag", "o", fixture.root + "/other"), code: 0)
        }
        try expect(fixture.run("forget", "--keep-last", "1", "--tag", "o", "--dry-run"), code: 0)
        try expect(fixture.run("forget", "--keep-last", "1", "--tag", "o"), code: 0)
        #expect(try ids(fixture).count == 3)
        try expect(fixture.run("forget", "--keep-last", "1"), code: 0)
        #expect(try ids(fixture).count == 2)
        try expect(fixture.run("forget", "--keep-last", "1", "--group-by", ""), code: 0)
        #expect(try ids(fixture).count == 1)
    }

    @Test func aClockThatJumpedAheadForgetsNothing() throws {
        let fixture = try fixture(snapshots: 2)
        try fixture.shell("echo x >source/x")
        let library = "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1"
        guard access(library, R_OK) == 0 else { return }
        let ahead: [String: String?] = [
            "LD_PRELOAD": library, "FAKETIME": "+400d", "DONT_FAKE_MONOTONIC": "1",
        ]
        try expect(fixture.run("backup", fixture.source, setting: ahead), code: 0)
        for clock in [ahead, [:]] {
            let run = expect(
                try fixture.run("forget", "--keep-within", "30d", setting: clock), code: 1)
            #expect(run.errors.contains("cannot be believed"), "\(run)")
            #expect(run.errors.contains("--trust-times"), "\(run)")
        }
        try expect(fixture.run("forget", "latest"), code: 0)
        try expect(fixture.run("forget", "--keep-within", "30d"), code: 0)
        #expect(try ids(fixture).count == 2)
    }

    @Test func pruneRunsBesideABackupAndLeavesWhatThatMayNeed() throws {
        let fixture = try fixture(snapshots: 3)
        try fixture.shell("head -c 12M /dev/urandom >source/large; rm -rf repository/claims/*")
        let backup = try fixture.start(["backup", fixture.source])
        try fixture.shell(
            "for i in {1..1000}; do ls repository/claims | grep -q . && exit; sleep 0.002; done; "
                + "exit 1")
        backup.process.kill(SIGSTOP)
        // With a cache of its own, as on another host: the stopped backup may hold its catalogue.
        let run = expect(
            try fixture.run(
                "forget", "--keep-last", "1", "--prune", "--json",
                setting: ["HOLDFAST_CACHE_DIR": fixture.root + "/cache2"]), code: 0)
        #expect(run.number("deleted_files") == 0, "\(run)")
        backup.process.kill(SIGCONT)
        expect(try backup.finish(), code: 0)
        try expectSound(fixture, 2)
        // Twice: what was fresh is marked and deleted only now.
        for _ in 0..<2 { try expect(fixture.run("prune"), code: 0) }
        #expect(try fixture.lines("ls -A repository/marks") == [])
        try expectSound(fixture, 2)
    }

    @Test func aPruneKilledAtAnyMomentHarmsNothing() throws {
        let fixture = try fixture(snapshots: 3)
        let clock = SystemClock()
        let start = clock.bootTime()
        try expect(fixture.run("forget", "--keep-last", "2", "--prune"), code: 0)
        let whole = clock.bootTime() - start
        let kills = TestExtent.isFull ? 200 : 4
        for kill in 1...kills {
            try change(fixture, kill + 3)
            try expect(fixture.run("backup", fixture.source), code: 0)
            let run = try fixture.start(
                ["forget", "--keep-last", "2", "--prune", "--max-unused", "0"])
            clock.sleep(nanoseconds: UInt64.random(in: 0...whole * 3 / 2))
            run.process.kill(SIGKILL)
            _ = try run.finish()
            if kill % 10 == 0 {
                let count = try ids(fixture).count
                #expect(count >= 2)
                try expectSound(fixture, count)
            }
        }
        try expect(fixture.run("unlock"), code: 0)
        for _ in 0..<2 {
            try expect(fixture.run("forget", "--keep-last", "2", "--prune"), code: 0)
        }
        #expect(try fixture.lines("ls -A repository/marks repository/leases | grep -v :") == [])
        try expectSound(fixture, 2)
        try fixture.expectSame()
    }
}
