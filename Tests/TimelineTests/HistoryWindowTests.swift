import Platform
import Testing

@testable import Timeline

/// Which rule says how long a database's history stays.
@Suite struct HistoryWindowTests {
    private static let window = HistoryWindow(
        7,
        rules: [
            (FilePath("/srv/accounts"), 1), (FilePath("/srv/accounts/one.db"), 2),
            (FilePath("/srv/b.db"), 3),
        ], host: "alpha")

    @Test(arguments: [
        ("alpha", "/srv/accounts/two.db", 1), ("alpha", "/srv/accounts/deep/two.db", 1),
        ("alpha", "/srv/accounts/one.db", 2), ("alpha", "/srv/b.db", 3),
        ("alpha", "/srv/b.db2", 7), ("alpha", "/srv/accounts2/c.db", 7),
        ("bravo", "/srv/accounts/one.db", 7),
    ])
    func theNearestPathOfTheHostCountsAndNoOther(
        _ host: String, _ path: String, _ nanoseconds: Int64
    ) {
        let identity = StreamIdentity(
            stream: Array(repeating: 1, count: 16), host: host, path: Array(path.utf8))
        #expect(Self.window.nanoseconds(of: identity) == nanoseconds)
    }
}
