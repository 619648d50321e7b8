import Testing

/// The cache directory is a convenience: where it cannot be used, it is it that is named.
@Suite(.serialized)
struct CacheTests {
    private func expectNamed(
        _ run: RunResult, sourceLocation: SourceLocation = #_sourceLocation
    ) {
        expect(run, code: 1, sourceLocation: sourceLocation)
        for words in ["the cache directory cannot be used", "--cache-dir", "HOLDFAST_CACHE_DIR"] {
            #expect(run.errors.contains(words), "\(run)", sourceLocation: sourceLocation)
        }
    }

    @Test func cacheThatCannotBeMadeIsNamed() throws {
        let fixture = try HoldfastFixture()
        try fixture.shell("echo x >file")
        for place in ["/file", "/file/inner/deep"] {
            expectNamed(try fixture.run("snapshots", "--cache-dir", fixture.root + place))
        }
        expectNamed(try fixture.run("backup", fixture.source, "--cache-dir", "/proc/none"))
        #expect(try fixture.shell("cat file; ls -A repository/leases") == "x\n")
    }

    @Test(.enabled(if: TestExtent.isRoot, "root is whom a mode does not stop"))
    func cacheOfAnotherUserIsNamed() throws {
        let fixture = try HoldfastFixture()
        try expect(fixture.run("backup", fixture.source), code: 0)
        try fixture.shell("chmod -R a+rX repository")
        expectNamed(try fixture.run("snapshots", asOrdinaryUser: true))
    }

    @Test(.enabled(if: TestExtent.isRoot, "only root may mount: a full cache is NOT tested"))
    func fullCacheIsNamed() throws {
        let fixture = try HoldfastFixture()
        try fixture.shell(
            """
            mkdir -p small source/many; for i in {1..3000}; do echo $i >source/many/$i; done
            mount -t tmpfs -o size=128k none small
            """)
        defer { _ = try? fixture.shell("umount -l small") }
        let small = fixture.root + "/small"
        expectNamed(try fixture.run("backup", fixture.source, "--cache-dir", small))
        #expect(try fixture.lines("ls -A repository/leases") == [])
        try expect(fixture.run("verify"), code: 0)
    }

    @Test func fileInPlaceOfARepositoryIsExit10() throws {
        let fixture = try HoldfastFixture(makesRepository: false)
        try fixture.shell("echo x >repository")
        for command in [["snapshots"], ["backup", fixture.source], ["verify"], ["unlock"]] {
            let run = expect(try fixture.start(command).finish(), code: 10)
            #expect(run.errors.contains("no repository at \(fixture.repository): it is a file"))
            #expect(run.errors.contains("hint: "), "\(run)")
        }
        let beneath = try fixture.run("snapshots", "-r", fixture.repository + "/inner")
        #expect(expect(beneath, code: 10).errors.contains("hint: "))
        let made = expect(try fixture.run("init"), code: 1)
        #expect(made.errors.contains("it is not a directory") && made.errors.contains("hint: "))
        #expect(try fixture.shell("cat repository") == "x\n")
    }
}
