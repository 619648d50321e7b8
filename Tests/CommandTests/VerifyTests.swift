import Testing

/// Damage of every kind is found, named, and exit 20.
@Suite(.serialized)
struct VerifyTests {
    /// Two snapshots of files and a database.
    private func repository() throws -> HoldfastFixture {
        let fixture = try HoldfastFixture()
        try fixture.shell(
            """
            mkdir source/d; head -c 300000 /dev/urandom >source/d/f; seq 2000 >source/g
            sqlite3 source/d.db 'CREATE TABLE t (x); INSERT INTO t VALUES (randomblob(9000))'
            """)
        try expect(fixture.run("backup", fixture.source), code: 0)
        try fixture.shell("seq 3000 >source/h; sqlite3 source/d.db 'INSERT INTO t VALUES (8)'")
        try expect(fixture.run("backup", fixture.source), code: 0)
        try expect(fixture.run("verify", "--read-data"), code: 0)
        try fixture.shell("cp -a repository whole")
        return fixture
    }

    private func heal(_ fixture: HoldfastFixture) throws {
        try fixture.shell("rm -rf repository; cp -a whole repository")
    }

    private func expectDamage(
        _ fixture: HoldfastFixture, _ arguments: String..., naming names: [String] = [],
        of what: String, sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let run = try fixture.start(["verify"] + arguments).finish()
        #expect(run.code == 20, "\(what): \(run)", sourceLocation: sourceLocation)
        for name in names {
            #expect(run.errors.contains(name), "\(what): \(run)", sourceLocation: sourceLocation)
        }
    }

    @Test func flippedBitInAnyFileIsFound() throws {
        let fixture = try repository()
        let files = try fixture.lines(
            "cd repository; find . -type f -not -path './claims/*' | sort")
        #expect(files.count >= 8)
        for file in files {
            let size = try #require(Int(fixture.lines("stat -c %s repository/\(file)")[0]))
            let count = TestExtent.isFull ? min(size, 40) : 2
            for _ in 0..<count {
                let offset = Int.random(in: 0..<size)
                let bit = Int.random(in: 0..<8)
                try fixture.shell(
                    "python3 -c 'f = open(\"repository/\(file)\", \"r+b\"); f.seek(\(offset)); "
                        + "b = f.read(1)[0]; f.seek(\(offset)); f.write(bytes([b ^ (1 << \(bit))]))'"
                )
                try expectDamage(
                    fixture, "--read-data", naming: [String(file.dropFirst(2))],
                    of: "\(file), byte \(offset) of \(size), bit \(bit)")
                try heal(fixture)
            }
        }
        try expect(fixture.run("verify", "--read-data"), code: 0)
    }

    @Test func damageNamesTheSnapshotsAndPathsThatAreHurt() throws {
        let fixture = try repository()
        let large = try fixture.lines("ls -S repository/packs | head -n 1")[0]
        try fixture.shell(
            "printf hurt | dd of=repository/packs/\(large) bs=1 seek=150000 conv=notrunc 2>/dev/null"
        )
        let ids = try fixture.lines("ls repository/snapshots | cut -c1-8")
        try expectDamage(
            fixture, "--read-data", naming: ids + [large, fixture.source + "/d/f"],
            of: "a hurt pack")
        let restored = try fixture.run("restore", "latest:\(fixture.source)", "-t", fixture.target)
        expect(restored, code: 3)
        #expect(restored.errors.contains("\(fixture.target)/d/f: "), "\(restored)")
        try fixture.shell("cmp target/g source/g; cmp target/h source/h; ! [ -e target/d/f ]")
    }

    @Test func missingShortenedSwappedAndForeignFilesAreFound() throws {
        let fixture = try repository()
        for folder in ["packs", "segments", "snapshots"] {
            let files = try fixture.lines("ls -S repository/\(folder)")
            let first = "repository/\(folder)/\(files[0])"
            if folder != "snapshots" {
                try fixture.shell("rm \(first)")
                try expectDamage(fixture, naming: [fixture.source], of: "missing \(first)")
                try heal(fixture)
            }
            for cut in ["-s -1", "-s 10", "-s 0", "-s +1"] {
                try fixture.shell("truncate \(cut) \(first)")
                try expectDamage(fixture, "--read-data", of: "\(cut) \(first)")
                try heal(fixture)
            }
            try fixture.shell("head -c 5000 /dev/urandom >repository/\(folder)/stranger")
            try expectDamage(fixture, naming: ["stranger"], of: "a stranger in \(folder)")
            try heal(fixture)
            guard files.count > 1 else { continue }
            let second = "repository/\(folder)/\(files[1])"
            try fixture.shell("mv \(first) x; mv \(second) \(first); mv x \(second)")
            try expectDamage(fixture, "--read-data", of: "swapped in \(folder)")
            try fixture.shell("rm -rf cache")
            try expectDamage(
                fixture, "--read-data", of: "swapped in \(folder), without a catalogue")
            try heal(fixture)
        }
        try expect(fixture.run("verify", "--read-data"), code: 0)
    }

    @Test func sharesTogetherReadEverything() throws {
        let fixture = try repository()
        let large = try fixture.lines("ls -S repository/packs | head -n 1")[0]
        try fixture.shell(
            "printf hurt | dd of=repository/packs/\(large) bs=1 seek=150000 conv=notrunc 2>/dev/null"
        )
        let codes = try (1...3).map {
            try fixture.run("verify", "--read-data-subset", "\($0)/3").code
        }
        #expect(codes.sorted() == [0, 0, 20])
        try expect(fixture.run("verify", "--read-data-subset", "100%"), code: 20)
    }

    @Test func drillProvesWhatComesBackAndLeavesNothingBehind() throws {
        let fixture = try repository()
        try fixture.shell("mkdir scratch")
        let scratch = "\(fixture.root)/scratch"
        let run = expect(
            try fixture.run("verify", "--drill", "--drill-target", scratch, "-v"), code: 0)
        #expect(run.output.contains("proven: it comes back"), "\(run)")
        #expect(run.output.contains("integrity check of"), "\(run)")
        let json = try fixture.run("verify", "--drill", "--drill-target", scratch, "--json")
        #expect(json.output.contains("\"proven\":true"), "\(json)")
        #expect(try fixture.lines("ls -A scratch") == [])
        // Evidence of both, one file a second.
        #expect(try !fixture.lines("ls cache/*/drill-*.json").isEmpty)
        try fixture.shell(
            "cd repository/packs; for f in $(ls -S | head -n 1); do "
                + "printf hurt | dd of=$f bs=1 seek=150000 conv=notrunc 2>/dev/null; done")
        let hurt = try fixture.run("verify", "--drill", "--drill-target", scratch)
        expect(hurt, code: 20)
        #expect(hurt.errors.contains("NOT proven"), "\(hurt)")
        #expect(try fixture.lines("ls -A scratch") == [])
    }

    @Test func catalogueCanBeDeletedAtAnyTime() throws {
        let fixture = try repository()
        try fixture.shell("rm -r cache")
        try expect(fixture.run("verify"), code: 0)
        try fixture.shell("echo rubbish >$(ls cache/*/catalogue.db)")
        let run = try fixture.run("restore", "latest:\(fixture.source)", "-t", fixture.target)
        expect(run, code: 0)
        try fixture.expectSame()
        try fixture.shell("rm -r cache")
        let backup = expect(try fixture.run("backup", "--json", fixture.source), code: 0)
        #expect(backup.number("data_blobs") == 0)
    }
}
