import Platform
import Testing

/// Repositories that earlier versions made must stay readable: one fixture a format version.
@Suite struct FormatTests {
    private static let fixtures =
        "\(FilePath(#filePath).parent.parent.parent)/Fixtures/repositories"

    /// A fixture's repository, whole in itself.
    private func repository(_ name: String) throws -> HoldfastFixture {
        let fixture = try HoldfastFixture(makesRepository: false)
        try fixture.shell("tar -xf '\(FormatTests.fixtures)/\(name).tar'")
        try expect(fixture.run("verify", "--read-data"), code: 0)
        let listed = try fixture.run("snapshots", "--json")
        #expect(listed.output.split(separator: "\n").count == 2)
        return fixture
    }

    @Test func readsTheRepositoryOfAnEarlierVersion() throws {
        let fixture = try repository("format-1")
        try expect(
            fixture.run("restore", "latest:/tmp/fx/data", "-t", fixture.target, "--verify"), code: 0
        )
        try fixture.shell("cd target && sha256sum -c '\(FormatTests.fixtures)/format-1.sums'")
        let rows = try fixture.shell(
            "sqlite3 target/app.db \"select count(*) from t where v = 'changed'\"")
        #expect(rows == "57\n")
        try expect(
            fixture.run("restore", "latest~1:/tmp/fx/data", "-t", fixture.root + "/before"), code: 0
        )
        #expect(try fixture.shell("ls before/b.txt 2>/dev/null || echo none") == "none\n")
    }

    /// Runs of version 2, which name lists of pieces of version 1: of one level, and of two. It was
    /// made with lists of 2 or 3 entries, where a writer's have a thousand.
    @Test func readsListsOfPieces() throws {
        let fixture = try repository("lists-of-pieces-1")
        try expect(
            fixture.run("restore", "latest:/tmp/fx2/data", "-t", fixture.target, "--verify"),
            code: 0)
        try fixture.shell(
            "cd target && sha256sum -c '\(FormatTests.fixtures)/lists-of-pieces-1.sums'")
        let tail = try fixture.run("dump", "latest~1", "/tmp/fx2/data/short")
        #expect(tail.output == "short\n")
    }

    /// A stream whose states between two snapshots were forgotten.
    @Test func readsMergedAndForgottenRecords() throws {
        let fixture = try repository("merged-records-1")
        for snapshot in ["latest", "latest~1"] {
            try expect(
                fixture.run(
                    "restore", "\(snapshot):/tmp/fx3/data", "-t", fixture.target + "/\(snapshot)",
                    "--verify"), code: 0)
        }
        try fixture.shell(
            "cd target && sha256sum -c '\(FormatTests.fixtures)/merged-records-1.sums'")
        let history = try fixture.run("history", "--json", "/tmp/fx3/data/a.db").output
        let gone = history.split(separator: "\n").count { $0.contains("\"restorable\":false") }
        #expect(gone == 6, "\(history)")
    }
}
