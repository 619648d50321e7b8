import Testing

/// Owners on a host where a user has another number than on the one that was backed up.
@Suite(
    .serialized,
    .enabled(if: TestExtent.isRoot, "only root can give files away: owners are NOT tested"))
struct OwnerTests {
    /// A backup made where `daemon` was user 4242 and group 4343.
    private func fixture() throws -> HoldfastFixture {
        let fixture = try HoldfastFixture()
        let settings = fixture.environment.map { "\($0.key)='\($0.value)'" }.joined(separator: " ")
        try fixture.shell(
            """
            echo x >source/known; chown 4242:4343 source/known; chmod 4755 source/known
            echo y >source/unknown; chown 54321:54322 source/unknown
            sed 's/^daemon:x:[0-9]*:[0-9]*:/daemon:x:4242:4343:/' /etc/passwd >passwd
            sed 's/^daemon:x:[0-9]*:/daemon:x:4343:/' /etc/group >group
            unshare -m sh -c "mount --bind passwd /etc/passwd; mount --bind group /etc/group
                env -i \(settings) \(HoldfastFixture.binary) backup \(fixture.source)"
            """)
        return fixture
    }

    private func owners(_ fixture: HoldfastFixture, _ options: String...) throws -> [String] {
        try fixture.shell("rm -rf target")
        let words = ["restore", "latest:\(fixture.source)", "-t", fixture.target] + options
        expect(try fixture.start(words).finish(), code: 0)
        return try fixture.lines("cd target; stat -c '%u:%g %a' known unknown")
    }

    @Test func ordinaryUserGivesFilesToAGroupOfTheirs() throws {
        let fixture = try HoldfastFixture()
        try fixture.shell(
            """
            cd source; mkdir shared; echo x >shared/file; ln -s file shared/link; echo y >other
            chown -h 4242:4343 shared shared/file shared/link; chown 4242:4344 other
            chmod 2750 shared; chmod 2640 shared/file
            """)
        try expect(fixture.run("backup", fixture.source), code: 0)
        let settings = fixture.environment.map { "\($0.key)='\($0.value)'" }.joined(separator: " ")
        let answer = try fixture.shell(
            """
            mkdir target; chown -R 65534:65534 repository cache password target
            setpriv --reuid=65534 --regid=65534 --groups=4343 env -i \(settings) \
                \(HoldfastFixture.binary) restore latest:\(fixture.source) -t target 2>&1 || echo code $?
            """)
        #expect(answer.contains("setting the owner") && answer.contains("code 3"), "\(answer)")
        let owners = try fixture.lines(
            "cd target; stat -c '%u:%g %a' shared shared/file shared/link other")
        // Without its owner a file lends nobody's rights.
        #expect(
            owners == [
                "65534:4343 2750", "65534:4343 640", "65534:4343 777", "65534:65534 644",
            ])
    }

    @Test func filesGoToTheUserOfTheRecordedName() throws {
        let fixture = try fixture()
        let here = try fixture.lines("echo $(id -u daemon):$(getent group daemon | cut -d: -f3)")
        #expect(try owners(fixture) == ["\(here[0]) 4755", "54321:54322 644"])
        #expect(
            try owners(fixture, "--numeric-ids") == ["4242:4343 4755", "54321:54322 644"])
    }
}
