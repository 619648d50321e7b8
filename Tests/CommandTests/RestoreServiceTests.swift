import Glibc
import Platform
import Testing

/// A whole service of a configuration, brought back together.
@Suite struct RestoreServiceTests {
    private static func scene() throws -> ConfigScene {
        let scene = try ConfigScene()
        let root = scene.fixture.root
        try scene.fixture.shell(
            "cp a.db b.db; cp a.db c.db; mkdir other; echo no >other/file; echo one >uploads/one")
        try scene.configure(
            services: """
                accounts: { databases: ["\(root)/a.db", "\(root)/b.db"],
                  trees: ["\(root)/uploads"], schedule: "1s", seal: "200ms" },
                other: { databases: ["\(root)/c.db"], trees: ["\(root)/other"], schedule: "1s" },
                """)
        return scene
    }

    private static func restore(
        _ scene: ConfigScene, _ arguments: String..., code: Int32
    ) throws -> RunResult {
        expect(
            try scene.fixture.start(
                ["restore", "--config", scene.file, "--target", scene.fixture.target] + arguments
            ).finish(), code: code)
    }

    @Test func itsDatabasesAndTreesComeBackAsTheyWereAndNothingElse() throws {
        let scene = try Self.scene()
        let fixture = scene.fixture
        let watch = try fixture.start(["watch", "--config", scene.file])
        try scene.await("holdfast snapshots --json --tag service:accounts | grep -q short_id")
        try fixture.shell(
            "sqlite3 a.db 'INSERT INTO t VALUES (2)'; sqlite3 b.db 'INSERT INTO t VALUES (3)'")
        usleep(300_000)
        let moment = try fixture.lines("date -u +%Y-%m-%dT%H:%M:%S.%NZ")[0]
        usleep(100_000)
        try fixture.shell(
            """
            for d in a b c; do sqlite3 $d.db 'DELETE FROM t'; done
            rm uploads/one; echo later >uploads/two
            """)
        watch.process.kill(SIGTERM)
        expect(try watch.finish(), code: 0)
        let run = try Self.restore(scene, "--service", "accounts", "--at", moment, code: 0)
        #expect(run.output.contains("files are those of snapshot"))
        for name in ["a.db", "b.db"] { #expect(run.output.contains("\(name): asked for")) }
        #expect(!run.output.contains("c.db"))
        let back = "target" + fixture.root
        #expect(
            try fixture.lines("for d in a b; do sqlite3 \(back)/$d.db 'SELECT x FROM t'; done")
                == ["1", "2", "1", "3"])
        #expect(
            try fixture.lines("cd \(back); ls; cat uploads/*") == [
                "a.db", "b.db", "uploads", "one",
            ])
    }

    @Test func aPositionOfAServiceWithOneDatabaseBringsItsTreesToo() throws {
        let scene = try Self.scene()
        let fixture = scene.fixture
        for row in 2...3 {
            expect(
                try fixture.run(
                    "backup", "--host", "alpha", fixture.root + "/c.db", fixture.root + "/other"),
                code: 0)
            try fixture.shell(
                "sqlite3 c.db 'INSERT INTO t VALUES (\(row))'; echo \(row) >other/file")
        }
        // The database was seen before its snapshot was made: the files are of the one before.
        let run = try Self.restore(scene, "--service", "other", "--position", "1/2", code: 0)
        #expect(run.output.contains("given 1/2"))
        let back = "target" + fixture.root
        #expect(
            try fixture.lines("sqlite3 \(back)/c.db 'SELECT x FROM t'; cat \(back)/other/file")
                == ["1", "2", "no"])
    }

    @Test func whatNamesNoServiceIsAnErrorThatSaysWhichThereAre() throws {
        let scene = try Self.scene()
        let unknown = try Self.restore(scene, "--service", "account", "--at", "-1m", code: 2)
        #expect(unknown.errors.contains("the services are accounts, other"))
        _ = try Self.restore(scene, "--service", "accounts", code: 2)
        _ = try Self.restore(
            scene, "--service", "accounts", "--database", "/a.db", "--at", "-1m", code: 2)
        _ = try Self.restore(scene, "--service", "accounts", "--position", "1/1", code: 2)
        let alone = try scene.fixture.run(
            "restore", "--service", "accounts", "--at", "-1m", "--target", scene.fixture.target)
        #expect(expect(alone, code: 2).errors.contains("--config FILE"))
    }

    @Test func beforeTheBeginningTheNearestPointAfterIsNamed() throws {
        let scene = try Self.scene()
        expect(try scene.fixture.run("backup", scene.fixture.root + "/a.db"), code: 0)
        let run = expect(
            try scene.fixture.run("restore", "--at", "-1h", "--target", scene.fixture.target),
            code: 1)
        #expect(run.errors.contains("the nearest after it is \(scene.fixture.root)/a.db at "))
        #expect(run.errors.contains("hint: ask for that with --at '"))
        let history = expect(
            try scene.fixture.run("history", scene.fixture.root + "/a.db"), code: 0)
        #expect(
            history.output.contains("1 commit, of these 1 base; 0 gaps, 1 epoch or branch; "))
    }
}
