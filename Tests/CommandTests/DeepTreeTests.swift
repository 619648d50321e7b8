import Testing

/// Trees deeper than there are descriptors, with paths longer than the system takes.
@Suite(.serialized)
struct DeepTreeTests {
    private static let levels = TestExtent.isFull ? 5000 : 1200

    /// Prints what lies in a tree, one directory after another by descriptors alone.
    private static let listing = """
        import os, stat, sys
        directory = os.open(sys.argv[1], os.O_RDONLY)
        while directory is not None:
            inner = None
            for name in sorted(os.listdir(directory)):
                status = os.stat(name, dir_fd=directory, follow_symlinks=False)
                line = [name, oct(status.st_mode), status.st_uid, status.st_gid, status.st_mtime_ns]
                if stat.S_ISDIR(status.st_mode):
                    inner = os.open(name, os.O_RDONLY, dir_fd=directory)
                else:
                    file = os.open(name, os.O_RDONLY, dir_fd=directory)
                    line += [status.st_nlink, os.read(file, 4096)]
                    os.close(file)
                print(*line)
            print()
            os.close(directory)
            directory = inner
        """

    /// Puts directories in one another, with files before and after them.
    private static let making = """
        import os, sys
        os.makedirs(sys.argv[1], exist_ok=True)
        directory = os.open(sys.argv[1], os.O_RDONLY)
        def write(name):
            file = os.open(name, os.O_WRONLY | os.O_CREAT, 0o640, dir_fd=directory)
            os.write(file, b'%d' % level)
            os.close(file)
        for level in range(int(sys.argv[2])):
            if level % 7 == 0: write('before')
            if level % 5 == 0: write('later')
            if level % 50 == 0: os.link('later', 'link', src_dir_fd=directory, dst_dir_fd=directory)
            os.mkdir('inner', 0o750, dir_fd=directory)
            inner = os.open('inner', os.O_RDONLY, dir_fd=directory)
            os.close(directory)
            directory = inner
        """

    private func make(_ tree: String, _ levels: Int, in fixture: HoldfastFixture) throws {
        try fixture.shell(
            "python3 -c \"$(cat <<'END'\n\(DeepTreeTests.making)\nEND\n)\" \(tree) \(levels)")
    }

    private func list(_ tree: String, in fixture: HoldfastFixture) throws -> String {
        try fixture.shell("python3 -c \"$(cat <<'END'\n\(DeepTreeTests.listing)\nEND\n)\" \(tree)")
    }

    private func run(_ fixture: HoldfastFixture, _ words: String...) throws {
        let program = ["prlimit", "--nofile=256:256"]
        expect(try fixture.start(words, through: program).finish(), code: 0)
    }

    @Test func treeDeeperThanThereAreDescriptorsComesBack() throws {
        let fixture = try HoldfastFixture()
        try make("source", DeepTreeTests.levels, in: fixture)
        try run(fixture, "backup", fixture.source)
        let part = "latest:\(fixture.source)"
        try run(fixture, "restore", part, "--target", fixture.target, "--verify")
        let there = try list("source", in: fixture)
        #expect(try list("target", in: fixture) == there)
        // What is not in the snapshot goes, however deep; what is missing comes back.
        try make("target/inner/stranger", DeepTreeTests.levels, in: fixture)
        try fixture.shell(
            "cd target; for i in {1..200}; do cd -P inner; done; rm -f later; echo x >x")
        try run(fixture, "restore", part, "--target", fixture.target, "--delete")
        #expect(try list("target", in: fixture) == there)
        // The scratch directory of a drill is removed again.
        try run(fixture, "verify", "--drill", "--drill-target", fixture.root)
        #expect(try fixture.lines("ls -d holdfast-drill* 2>/dev/null || true") == [])
    }

    /// SQLite itself opens no path this long; the directory is the system's to find.
    @Test func databaseAtAPathTooLongForSQLiteComesBack() throws {
        let fixture = try HoldfastFixture()
        try fixture.shell(
            """
            sqlite3 seed 'CREATE TABLE t (x); INSERT INTO t VALUES (7)'
            cd source; name=$(printf 'n%.0s' {1..200})
            for i in {1..24}; do
                mkdir $name; cd -P $name
                case $i in 2|5|24) cp $0/seed x.db;; esac
            done
            """)
        let backup = try fixture.run("backup", "--json", fixture.source)
        expect(backup, code: 0)
        #expect(backup.number("databases") == 3)
        let run = try fixture.run("restore", "latest:\(fixture.source)", "-t", fixture.target)
        expect(run, code: 0)
        let found = try fixture.shell(
            """
            cd target; name=$(printf 'n%.0s' {1..200})
            for i in {1..24}; do
                cd -P $name
                case $i in 2|5|24) cp x.db $0/found; sqlite3 $0/found 'SELECT x FROM t';; esac
            done
            """)
        #expect(found == "7\n7\n7\n")
        try expect(fixture.run("verify", "--drill", "--drill-target", fixture.root), code: 0)
    }

    @Test func filesInManyDirectoriesNeedFewDescriptors() throws {
        let fixture = try HoldfastFixture()
        try fixture.shell("cd source; mkdir {1..600}; for i in {1..600}; do echo $i >$i/f; done")
        try run(fixture, "backup", fixture.source)
        try run(
            fixture, "restore", "latest:\(fixture.source)", "-t", fixture.target, "--verify")
        try fixture.expectSame()
    }
}
