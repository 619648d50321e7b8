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

    @Test func filesGoToTheUserOfTheRecordedName() throws {
        let fixture = try fixture()
        let here = try fixture.lines("echo $(id -u daemon):$(getent group daemon | cut -d: -f3)")
        #expect(try owners(fixture) == ["\(here[0]) 4755", "54321:54322 644"])
        #expect(
            try owners(fixture, "--numeric-ids") == ["4242:4343 4755", "54321:54322 644"])
    }
}
