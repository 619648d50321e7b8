import Testing

/// Parts of the repository that are gone: what is still in the sources is stored again.
@Suite struct LossTests {
    /// A fixture whose sources, a file and a database, are old enough not to be read again.
    private func settledFixture() throws -> HoldfastFixture {
        let fixture = try HoldfastFixture()
        try fixture.shell(
            """
            head -c 2000000 /dev/urandom >source/file
            sqlite3 source/d.db 'CREATE TABLE t (x); INSERT INTO t VALUES (randomblob(600000))'
            sleep 2.1
            """)
        expect(try fixture.run("backup", fixture.source), code: 0)
        return fixture
    }

    private func expectNewestComesBack(_ fixture: HoldfastFixture) throws {
        expect(
            try fixture.run(
                "restore", "latest:\(fixture.source)", "-t", fixture.target, "--verify"),
            code: 0)
        try fixture.shell("cmp source/file target/file; sqlite3 source/d.db .dump >a")
        try fixture.shell("sqlite3 target/d.db .dump >b; cmp a b")
    }

    @Test func unchangedSourcesWhosePacksAreGoneAreStoredAgain() throws {
        // With the catalogue that saw the packs, and with one that knows nothing.
        for forgets in [false, true] {
            let fixture = try settledFixture()
            // The tree is left, so that there is a parent by which nothing has changed.
            try fixture.shell("cd repository/packs; ls -S | head -n -1 | xargs rm")
            if forgets { try fixture.shell("rm -r cache") }
            expect(try fixture.run("snapshots"), code: 0)
            expect(try fixture.run("backup", fixture.source), code: 0)
            try expectNewestComesBack(fixture)
        }
    }

    @Test func aSegmentThatIsGoneStopsNoBackup() throws {
        let fixture = try settledFixture()
        try fixture.shell("rm repository/segments/*")
        expect(try fixture.run("backup", fixture.source), code: 0)
        try expectNewestComesBack(fixture)

        // The one in the middle of a history.
        let fixture2 = try settledFixture()
        for number in 1...2 {
            try fixture2.shell("sqlite3 source/d.db 'INSERT INTO t VALUES (\(number))'")
            expect(try fixture2.run("backup", fixture2.source), code: 0)
        }
        try fixture2.shell("cd repository/segments; rm $(ls -tr | sed -n 2p)")
        try fixture2.shell("sqlite3 source/d.db 'INSERT INTO t VALUES (3)'")
        expect(try fixture2.run("backup", fixture2.source), code: 0)
        try expectNewestComesBack(fixture2)
    }

    @Test func aDamagedDatabaseKeepsNoOtherFromComingBack() throws {
        let fixture = try HoldfastFixture()
        // In packs of their own, since each is backed up by itself first.
        for (number, name) in ["a", "b", "c"].enumerated() {
            try fixture.shell(
                "sqlite3 source/\(name).db 'CREATE TABLE t (x); "
                    + "INSERT INTO t VALUES (\(number)), (randomblob(300000))'")
            try fixture.shell("ls repository/packs >before")
            expect(try fixture.run("backup", fixture.source), code: 0)
            if name == "a" { try fixture.shell("ls -S repository/packs | head -1 >damaged") }
        }
        try fixture.shell(
            "printf '\\377' | dd of=repository/packs/$(cat damaged) bs=1 seek=5000 conv=notrunc")
        let run = try fixture.run("restore", "latest:\(fixture.source)", "-t", fixture.target)
        expect(run, code: 3)
        #expect(run.errors.contains("a.db"), "\(run)")
        #expect(!run.errors.contains("b.db") && !run.errors.contains("c.db"), "\(run)")
        try fixture.shell("! [ -e target/a.db ]; ls -A target >left; ! grep -q holdfast left")
        for (number, name) in [(1, "b"), (2, "c")] {
            let rows = try fixture.lines(
                "sqlite3 target/\(name).db 'PRAGMA integrity_check; SELECT x FROM t LIMIT 1'")
            #expect(rows == ["ok", "\(number)"])
        }
        expect(try fixture.run("verify", "--read-data"), code: 20)
    }

    @Test func whatWasNotLostIsNotStoredAgain() throws {
        let fixture = try settledFixture()
        try fixture.shell("rm -r cache")
        let run = expect(try fixture.run("backup", fixture.source, "--json"), code: 0)
        #expect(run.number("files_unmodified") == 2)
        #expect(run.number("data_added") == 0, "\(run)")
    }

    @Test(.enabled(if: TestExtent.isRoot))
    func oneFileSystemEntersASourceThatIsAMountPoint() throws {
        let fixture = try HoldfastFixture()
        try fixture.shell("mount -t tmpfs none source; echo here >source/file; mkdir source/inner")
        defer { _ = try? fixture.shell("umount -l source/inner source") }
        try fixture.shell("mount -t tmpfs none source/inner; echo there >source/inner/file")
        expect(try fixture.run("backup", "-x", fixture.source), code: 0)
        let listed = try fixture.run("ls", "latest").output
        #expect(listed.contains(fixture.source + "/file"))
        #expect(!listed.contains(fixture.source + "/inner/file"))

        // What another file system holds was not looked at, so it is not a stranger here.
        expect(
            try fixture.run(
                "restore", "latest:\(fixture.source)", "-t", fixture.source, "--delete"),
            code: 0)
        try fixture.shell("grep -q there source/inner/file")
    }

    /// With the catalogue that saw the segment whole, and with one that knows nothing.
    @Test(arguments: [false, true])
    func aHurtSegmentConcernsItsDatabaseAlone(_ forgets: Bool) throws {
        let fixture = try HoldfastFixture()
        for number in 1...3 {
            for name in ["a", "b"] {
                try fixture.shell(
                    "sqlite3 source/\(name).db 'CREATE TABLE IF NOT EXISTS t (x);"
                        + " INSERT INTO t VALUES (\(number))'; ls repository/segments >before")
                expect(try fixture.run("backup", "\(fixture.source)/\(name).db"), code: 0)
                guard number == 2, name == "a" else { continue }
                try fixture.shell("ls repository/segments | comm -13 before - >hurt")
            }
        }
        try fixture.shell(
            "f=repository/segments/$(cat hurt); truncate -s $(($(stat -c %s $f) / 2)) $f")
        if forgets { try fixture.shell("rm -r cache") }
        let (hurt, whole) = ("\(fixture.source)/a.db", "\(fixture.source)/b.db")
        #expect(expect(try fixture.run("history", whole), code: 0).errors.isEmpty)
        func restore(_ database: String, _ position: String) throws -> RunResult {
            try fixture.shell("rm -rf target")
            return try fixture.run(
                "restore", "--database", database, "--position", position, "-t", fixture.target)
        }
        for position in ["1/1", "1/2", "1/3"] { expect(try restore(whole, position), code: 0) }
        #expect(expect(try fixture.run("history", hurt), code: 3).output.contains("missing"))
        expect(try restore(hurt, "1/1"), code: 0)
        for position in ["1/2", "1/3"] {
            let run = expect(try restore(hurt, position), code: 1)
            #expect("\(run)".contains("missing in the"), "\(run)")
        }
    }
}
