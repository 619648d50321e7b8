import Testing

/// Directories that their owner, an ordinary user, may not write in or not even list.
@Suite(.serialized)
struct ClosedDirectoryTests {
    /// A snapshot of such directories, made by their owner while they could be read.
    private func fixture() throws -> HoldfastFixture {
        let fixture = try HoldfastFixture(makesRepository: false)
        try fixture.shell(
            """
            mkdir -p source/fixed/inner scratch; echo x >source/fixed/inner/f; echo y >source/g
            chmod 500 source/fixed/inner source/fixed
            if [ $EUID = 0 ]; then chown -R 65534:65534 .; fi
            """)
        try expect(fixture.run("init", asOrdinaryUser: true), code: 0)
        try expect(fixture.run("backup", fixture.source, asOrdinaryUser: true), code: 0)
        return fixture
    }

    @Test func drillOfAnOrdinaryUserRemovesThemAgain() throws {
        let fixture = try fixture()
        let drill = try fixture.run(
            "verify", "--drill", "--drill-target", fixture.root + "/scratch", asOrdinaryUser: true)
        expect(drill, code: 0)
        #expect(try fixture.lines("ls -A scratch") == [])
    }

    @Test func restoreOverThemPutsBackWhatIsInThem() throws {
        let fixture = try fixture()
        let words = ["restore", "latest:\(fixture.source)", "-t", fixture.target]
        expect(try fixture.start(words, asOrdinaryUser: true).finish(), code: 0)
        try fixture.shell(
            """
            cd target; chmod 700 fixed/inner; echo other >fixed/inner/f; touch fixed/inner/new
            chmod 0 fixed/inner
            """)
        expect(try fixture.start(words + ["--delete"], asOrdinaryUser: true).finish(), code: 0)
        try fixture.expectSame()
    }
}
