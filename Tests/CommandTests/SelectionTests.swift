import Testing

/// What a backup takes, by its options, with the real binary.
@Suite(.serialized)
struct SelectionTests {
    private func paths(_ fixture: HoldfastFixture, _ options: String...) throws -> [String] {
        try expect(fixture.start(["backup", fixture.source] + options).finish(), code: 0)
        let listing = try fixture.run("ls", "latest:\(fixture.source)", "--recursive").output
        return listing.split(separator: "\n").map { String($0.dropFirst(fixture.source.count)) }
            .filter { !$0.isEmpty }
    }

    @Test func excludesLeaveOutWhatMatches() throws {
        let fixture = try HoldfastFixture()
        try fixture.shell(
            """
            mkdir -p source/a/tmp source/b/cache source/b/nobackup; cd source
            touch a/keep a/x.o a/tmp/f b/y.o b/cache/f b/nobackup/{f,.nobackup}
            printf 'Signature: 8a477f597d28d172789f06886806bc55\\n' >b/cache/CACHEDIR.TAG
            printf '# a comment\\n*.o\\n!y.o\\n' >../patterns
            """)
        #expect(
            try paths(fixture, "-e", "*.o", "-e", "\(fixture.source)/a/tmp", "-e", "nobackup")
                == ["/a", "/a/keep", "/b", "/b/cache", "/b/cache/CACHEDIR.TAG", "/b/cache/f"])
        try fixture.shell("echo 'no, keep this' >source/a/tmp/.nobackup")
        let headed = try paths(fixture, "--exclude-if-present", ".nobackup:no, keep")
        #expect(headed.contains("/b/nobackup/f") && !headed.contains("/a/tmp/f"))
        try fixture.shell("rm source/a/tmp/.nobackup")
        #expect(
            try paths(
                fixture, "--exclude-file", "\(fixture.root)/patterns", "--exclude-caches",
                "--exclude-if-present", ".nobackup")
                == [
                    "/a", "/a/keep", "/a/tmp", "/a/tmp/f", "/b", "/b/cache",
                    "/b/cache/CACHEDIR.TAG", "/b/nobackup", "/b/nobackup/.nobackup", "/b/y.o",
                ])
    }

    @Test(.enabled(if: TestExtent.isRoot, "only root may mount: -x is NOT tested"))
    func otherFilesystemsAreLeftOutWhereThatIsAskedFor() throws {
        let fixture = try HoldfastFixture()
        try fixture.shell(
            "mkdir -p source/m source/d; mount -t tmpfs none source/m; touch source/m/f source/d/f")
        defer { _ = try? fixture.shell("umount -l source/m") }
        #expect(try paths(fixture) == ["/d", "/d/f", "/m", "/m/f"])
        #expect(try paths(fixture, "-x") == ["/d", "/d/f", "/m"])
        // What lies in the other filesystem is not the snapshot's to delete.
        let run = try fixture.run(
            "restore", "latest:\(fixture.source)", "-t", fixture.source, "--delete")
        expect(run, code: 0)
        try fixture.shell("[ -e source/m/f ]")
    }

    @Test func repositoryAndCacheAreNeverBackedUp() throws {
        let fixture = try HoldfastFixture()
        try expect(fixture.run("backup", fixture.root), code: 0)
        let listing = try fixture.run("ls", "latest").output
        #expect(listing.contains("\(fixture.root)/password\n"))
        #expect(!listing.contains(fixture.repository) && !listing.contains("/cache"))
        // Nor deleted by a restore that makes everything what it was.
        try expect(
            fixture.run("restore", "latest:\(fixture.root)", "-t", fixture.root, "--delete"),
            code: 0)
        try expect(fixture.run("verify"), code: 0)
    }

    @Test func labelsAndListsAreTaken() throws {
        let fixture = try HoldfastFixture()
        try fixture.shell("touch source/f; printf '%s\\n' source/f >list")
        try expect(
            fixture.run(
                "backup", "--tag", "nightly,db", "--tag", "x", "--host", "alpha", fixture.source),
            code: 0)
        try expect(fixture.run("backup", "--host", "bravo", fixture.source), code: 0)
        #expect(try fixture.run("snapshots", "--tag", "db,x").output.contains("1 snapshot\n"))
        #expect(try fixture.run("snapshots", "--tag", "no").output.contains("0 snapshots"))
        #expect(try fixture.run("snapshots", "--host", "alpha").output.contains("alpha"))
        #expect(try fixture.run("snapshots", "--latest", "1").output.contains("2 snapshots"))
        let restored = try fixture.run("restore", "--host", "alpha", "-t", fixture.target, "-v")
        let alpha = try fixture.run("snapshots", "--host", "alpha", "--json").output
        let id = try #require(alpha.split(separator: "\"short_id\":\"").last?.prefix(8))
        #expect(expect(restored, code: 0).output.contains("snapshot \(id)"))
    }
}
