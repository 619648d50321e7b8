import Commands
import Platform
import Testing

@Suite struct ConfigurationTests {
    private static let whole = """
        // the host alpha
        {
          node: "alpha", data: "/var/lib/holdfast",
          repository: { location: "/srv/backup/", passwordFile: "/etc/holdfast/password" },
          services: {
            accounts: {
              databases: ["/srv/accounts/accounts.db"], trees: ["/srv/accounts/uploads"],
              schedule: "15m", keep: { history: "3d", daily: 14, monthly: 12 },
              seal: "2s", journalLimit: "2GiB", logLimit: "64MiB", checkpointLock: "never",
              whenFull: "gap",
            },
            tenants: { databases: ["/srv//tenants"] },
          },
        }
        """

    private func mistakes(_ text: String) -> [String] {
        ConfigurationReader.read(Array(text.utf8)).mistakes.map(\.line)
    }

    /// The mistakes of one service that is written so, without their places.
    private func mistakes(service: String) -> [String] {
        mistakes("{repository: {location: '/r'}, services: {s: {\(service)}}}").map { line in
            line.split(separator: ": ", maxSplits: 1).last.map(String.init) ?? line
        }
    }

    @Test func everyKeyIsRead() throws {
        let (read, mistakes) = ConfigurationReader.read(Array(Self.whole.utf8))
        #expect(mistakes.isEmpty)
        let host = try #require(read)
        #expect(host.node == "alpha")
        #expect(host.data?.value == "/var/lib/holdfast")
        #expect(host.repository.location.value == "/srv/backup")
        #expect(host.repository.passwordFile?.value == "/etc/holdfast/password")
        let accounts = try #require(host.services.first)
        #expect(accounts.name == "accounts")
        #expect(accounts.databases.map(\.value) == ["/srv/accounts/accounts.db"])
        #expect(accounts.trees.map(\.value) == ["/srv/accounts/uploads"])
        #expect(accounts.schedule == .seconds(900))
        #expect(accounts.keep.history == .seconds(3 * 86_400))
        #expect(accounts.keep.counts == ["daily": 14, "monthly": 12])
        #expect(accounts.seal == .seconds(2))
        #expect(accounts.journalLimit == 2 << 30)
        #expect(accounts.logLimit == 64 << 20)
        #expect(accounts.checkpointLock == .never)
        let tenants = try #require(host.services.last)
        #expect(tenants.databases.map(\.value) == ["/srv/tenants"])
        #expect(tenants.keep.history == .seconds(7 * 86_400))
        #expect(tenants.checkpointLock == .auto)
    }

    @Test func allMistakesAreNamedAtOnceWithLineColumnAndKey() {
        let text = """
            {
              nod: "alpha",
              repository: { location: "srv", pasword: 1 },
              services: {
                accounts: {
                  databases: "/srv/a.db",
                  schedule: "15 minutes",
                  journalLimit: "1GB",
                  keep: { daily: -1 },
                },
              },
            }
            """
        #expect(
            mistakes(text) == [
                "2:3: nod: there is no such key; did you mean node?",
                "3:27: repository.location: srv is no whole path; begin with /, and use neither . "
                    + "nor .. in it",
                "3:34: repository.pasword: there is no such key; here can stand location, "
                    + "passwordFile, passwordCommand, prune",
                "6:18: services.accounts.databases: this is a text, and should be a list of paths; "
                    + "write [\"/path\", …]",
                "7:17: services.accounts.schedule: the value is no duration: 15 minutes; write "
                    + "numbers with units, such as 90s, 5m or 1h30m",
                "8:21: services.accounts.journalLimit: 1GB is no size; write a number with KiB, MiB "
                    + "or GiB",
                "9:22: services.accounts.keep.daily: this should be a whole number from 0 to 100000",
            ])
    }

    @Test(arguments: [
        "members", "listen", "status", "balancer", "run", "health", "durability",
    ])
    func keysOfLaterPartsAreUnknown(_ key: String) {
        let onTop = mistakes("{repository: {location: '/r'}, \(key): 1}")
        let inside = mistakes(service: "databases: [], \(key): 1")
        #expect(onTop.count == 1 && onTop[0].contains("\(key): there is no such key"))
        #expect(inside.count == 1 && inside[0].contains("s.\(key): there is no such key"))
    }

    @Test(arguments: [
        ("", "this service has neither databases nor trees"),
        ("trees: ['/t']", "nobody says how often"),
        ("databases: ['/a/../b']", "services.s.databases[0]: /a/../b is no whole path"),
        ("databases: [1]", "services.s.databases[0]: this is a number, and should be a text"),
        ("databases: ['']", "this text is empty"),
        ("databases: [], schedule: '10ms'", "10ms is out of bounds; say something from 1s"),
        ("databases: [], schedule: 900", "this is a number, and should be a text"),
        ("databases: [], checkpointLock: 'nevr'", "did you mean never?"),
        ("databases: [], whenFull: 'stop'", "this cannot be stop; say gap"),
        ("databases: [], keep: {daily: 1.5}", "this should be a whole number"),
        ("databases: [], keep: []", "services.s.keep: this is a list, and should be an object"),
    ])
    func aWrongValueSaysWhatWouldBeRight(_ service: String, _ expected: String) {
        let found = mistakes(service: service)
        #expect(found.count == 1 && found[0].contains(expected), "\(found)")
    }

    @Test func namesOfServicesAndHostsAreSafe() {
        for name in ["'a/b'", "''", "'-a'", "'a b'", "'\\u001b'"] {
            #expect(
                mistakes("{repository: {location: '/r'}, services: {\(name): {databases: []}}}")
                    .count == 1)
            #expect(mistakes("{repository: {location: '/r'}, node: \(name)}").count == 1)
        }
        #expect(mistakes("{repository: {location: '/r'}, node: 'a.example.org'}").isEmpty)
    }

    @Test func theRepositoryIsNeededAndItsPasswordIsInOnePlace() {
        let missing =
            "1:1: the key repository is missing; say repository: { location: \"/path\" }"
        #expect(mistakes("{}") == [missing])
        #expect(mistakes("{repository: {}}").count == 1)
        #expect(
            mistakes("{repository: {location: '/r', passwordFile: '/p', passwordCommand: 'c'}}")
                .count == 1)
        #expect(mistakes("[]") == ["1:1: this is a list, and should be an object; write { … }"])
    }

    @Test(
        arguments: [
            ("1B", 1), ("64KiB", 65_536), ("3MiB", 3 << 20), ("1GiB", 1 << 30), ("2TiB", 2 << 40),
        ] as [(String, UInt64)])
    func aSizeIsANumberAndAUnit(_ text: String, _ bytes: UInt64) {
        #expect(ByteSizeText.read(text) == bytes)
    }

    @Test(arguments: ["", "1", "GiB", "1GB", "1 GiB", "-1KiB", "1.5GiB", "99999999TiB", "1kib"])
    func anythingElseIsNoSize(_ text: String) {
        #expect(ByteSizeText.read(text) == nil)
    }
}
