import Testing

/// A target without room: the restore stops and says so, and nobody takes it for damage.
@Suite(
    .serialized, .enabled(if: TestExtent.isRoot, "only root may mount: full targets are NOT tested")
)
struct FullTargetTests {
    /// Sixteen files of a mebibyte and a database; `small` has room for two of them.
    private func fixture() throws -> HoldfastFixture {
        let fixture = try HoldfastFixture()
        try fixture.shell(
            """
            for i in {1..16}; do head -c 1M /dev/urandom >source/f$i; done
            sqlite3 source/d.db 'CREATE TABLE t (x); INSERT INTO t VALUES (randomblob(3000000))'
            mkdir small; mount -t tmpfs -o size=2m none small
            """)
        try expect(fixture.run("backup", fixture.source), code: 0)
        return fixture
    }

    private func unmount(_ fixture: HoldfastFixture) {
        _ = try? fixture.shell("umount -l small")
    }

    @Test func drillWithoutRoomIsNoDamage() throws {
        let fixture = try fixture()
        defer { unmount(fixture) }
        let small = fixture.root + "/small"
        let run = try fixture.run("verify", "--drill", "--drill-target", small)
        expect(run, code: 1)
        #expect(run.errors.contains("No space left on device"), "\(run)")
        #expect(run.errors.contains("hint: ") && run.errors.contains("--drill-target"), "\(run)")
        #expect(run.errors.split(separator: "\n").count < 5, "\(run)")
        #expect(try fixture.lines("ls -A small; ls -A repository/leases") == [])
    }

    @Test func drillOfADatabaseWithoutRoomIsNoDamage() throws {
        let fixture = try fixture()
        defer { unmount(fixture) }
        try expect(fixture.run("backup", fixture.source + "/d.db", "--host", "other"), code: 0)
        try fixture.shell("rm $(ls -rt repository/snapshots/* | head -n 1)")
        let run = try fixture.run("verify", "--drill", "--drill-target", fixture.root + "/small")
        expect(run, code: 1)
        #expect(run.errors.contains("--drill-target"), "\(run)")
    }

    @Test func damageOutranksADrillWithoutRoom() throws {
        let fixture = try fixture()
        defer { unmount(fixture) }
        try fixture.shell("rm $(ls -S repository/packs/* | head -n 1)")
        let run = try fixture.run("verify", "--drill", "--drill-target", fixture.root + "/small")
        expect(run, code: 20)
        #expect(run.errors.contains("missing"), "\(run)")
    }

    @Test func restoreStopsOnceAndKeepsWhatItHas() throws {
        let fixture = try fixture()
        defer { unmount(fixture) }
        let small = fixture.root + "/small"
        let run = try fixture.run("restore", "latest:\(fixture.source)", "-t", small)
        expect(run, code: 1)
        #expect(run.errors.contains("no room") && run.errors.contains("hint: "), "\(run)")
        #expect(run.errors.split(separator: "\n").count < 5, "\(run)")
        #expect(try fixture.lines("ls -A small | grep -c '^.holdfast' || true") == ["0"])
        try fixture.shell("for f in small/f*; do cmp $f source/${f#small/}; done")
        try fixture.shell("mount -o remount,size=80m small")
        let again = try fixture.run(
            "restore", "latest:\(fixture.source)", "-t", small, "--overwrite", "if-changed")
        expect(again, code: 0)
    }
}
