import Platform
import Testing

/// Repositories that earlier versions made must stay readable: one fixture a format version.
@Suite struct FormatTests {
    @Test(arguments: ["format-1"])
    func readsTheRepositoryOfAnEarlierVersion(_ name: String) throws {
        let fixture = try HoldfastFixture(makesRepository: false)
        let top = FilePath(#filePath).parent.parent.parent
        let folder = "\(top)/Fixtures/repositories/\(name)"
        try fixture.shell("tar -xf '\(folder).tar'")
        try expect(fixture.run("verify", "--read-data"), code: 0)
        let listed = try fixture.run("snapshots", "--json")
        #expect(listed.output.split(separator: "\n").count == 2)
        try expect(
            fixture.run("restore", "latest:/tmp/fx/data", "-t", fixture.target, "--verify"), code: 0
        )
        try fixture.shell("cd target && sha256sum -c '\(folder).sums'")
        let rows = try fixture.shell(
            "sqlite3 target/app.db \"select count(*) from t where v = 'changed'\"")
        #expect(rows == "57\n")
        try expect(
            fixture.run("restore", "latest~1:/tmp/fx/data", "-t", fixture.root + "/before"), code: 0
        )
        #expect(try fixture.shell("ls before/b.txt 2>/dev/null || echo none") == "none\n")
    }
}
