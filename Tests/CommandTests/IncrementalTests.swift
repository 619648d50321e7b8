import Testing

/// What a second backup reads and stores.
@Suite(.serialized)
struct IncrementalTests {
    private func backup(_ fixture: HoldfastFixture, _ more: String...) throws -> RunResult {
        let run = try fixture.start(["backup", "--json", fixture.source] + more).finish()
        return expect(run, code: 0)
    }

    private func makeSettledSource(_ fixture: HoldfastFixture) throws {
        try fixture.shell(
            """
            mkdir source/d; head -c 3000000 /dev/urandom >source/big
            for i in {1..200}; do head -c 2000 /dev/urandom >source/d/$i; done
            sleep 2.2
            """)
    }

    @Test func secondBackupReadsNothingAndStoresAlmostNothing() throws {
        let fixture = try HoldfastFixture()
        try makeSettledSource(fixture)
        let first = try backup(fixture)
        #expect(first.number("files_new") == 201)
        #expect(try #require(first.number("data_added_packed")) > 3_000_000)
        let second = try backup(fixture)
        #expect(second.number("files_unmodified") == 201)
        #expect(second.number("files_new") == 0 && second.number("files_changed") == 0)
        #expect(second.number("data_blobs") == 0 && second.number("tree_blobs") == 0)
        #expect(try #require(second.number("data_added_packed")) < 4096)
        let skipped = try backup(fixture, "--skip-if-unchanged")
        #expect(!skipped.output.contains("snapshot_id"))
        #expect(try fixture.run("snapshots").output.contains("2 snapshots"))
    }

    @Test func unchangedFileIsNotRead() throws {
        let fixture = try HoldfastFixture()
        try makeSettledSource(fixture)
        _ = try backup(fixture)
        // Nothing brings a file's pages back into memory but reading it.
        try fixture.shell("sync source/big; dd if=source/big iflag=nocache count=0 2>/dev/null")
        try #require(
            fixture.lines("fincore -nbo RES source/big | tr -d ' '") == ["0"], "is /tmp a tmpfs?")
        let second = try backup(fixture)
        #expect(second.number("data_blobs") == 0 && second.number("files_unmodified") == 201)
        #expect(try fixture.lines("fincore -nbo RES source/big | tr -d ' '") == ["0"])
        let forced = try backup(fixture, "--force")
        #expect(forced.number("files_unmodified") == 0 && forced.number("data_blobs") == 0)
        #expect(try fixture.lines("fincore -nbo RES source/big | tr -d ' '") != ["0"])
    }

    @Test func fileThatWasTooFreshIsReadAgain() throws {
        let fixture = try HoldfastFixture()
        try fixture.shell("echo aaaa >source/f")
        _ = try backup(fixture)
        // Same size, same inode, and the times put back: only the change time could tell, and the
        // clock of the kernel ticks every 4 ms.
        try fixture.shell(
            "touch -r source/f ref; printf bbbb | dd of=source/f conv=notrunc 2>/dev/null;"
                + "touch -r ref source/f")
        let second = try backup(fixture)
        #expect(second.number("files_changed") == 1)
        try expect(
            fixture.run("restore", "latest:\(fixture.source)", "--target", fixture.target), code: 0)
        #expect(try fixture.shell("cat target/f") == "bbbb\n")
        // Read within two seconds of its change, it is read once more although nothing happened.
        try fixture.shell("echo cccc >source/f")
        _ = try backup(fixture)
        let again = try backup(fixture)
        #expect(again.number("files_changed") == 1)
    }

    @Test func changedFilesAloneAreStored() throws {
        let fixture = try HoldfastFixture()
        try makeSettledSource(fixture)
        _ = try backup(fixture)
        try fixture.shell(
            """
            printf change | dd of=source/big bs=1 seek=1500000 conv=notrunc 2>/dev/null
            mv source/d/1 source/d/renamed; rm source/d/2; chmod 600 source/d/3
            """)
        let second = try backup(fixture)
        #expect(second.number("files_new") == 1)
        #expect(try #require(second.number("data_added_packed")) < 2_500_000)
        try expect(
            fixture.run("restore", "latest:\(fixture.source)", "--target", fixture.target), code: 0)
        try fixture.expectSame()
        try expect(
            fixture.run("restore", "latest~1:\(fixture.source)", "--target", fixture.root + "/1st"),
            code: 0)
        try fixture.shell("[ -e 1st/d/1 ] && [ -e 1st/d/2 ] && ! [ -e 1st/d/renamed ]")
    }
}
