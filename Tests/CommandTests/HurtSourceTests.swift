import Platform
import Testing

/// Sources that move while they are read, or may not be read: exit 3, and the rest is safe.
@Suite(.serialized)
struct HurtSourceTests {
    /// A shell loop that goes on until it is let go.
    private func keepDoing(_ step: String, in fixture: HoldfastFixture) throws -> Subprocess {
        try Subprocess(
            [
                "bash", "-c", "cd \"$0\"; while [ -d source ]; do \(step); done",
                fixture.source + "/..",
            ],
            output: .null)
    }

    private func restore(_ fixture: HoldfastFixture, _ more: String...) throws -> RunResult {
        try fixture.start(
            ["restore", "latest:\(fixture.source)", "--target", fixture.target, "--verify"] + more
        ).finish()
    }

    @Test func fileThatGrowsWhileItIsReadIsNamedAndItsBeginningSaved() throws {
        let fixture = try HoldfastFixture()
        try fixture.shell("echo calm >source/calm; head -c 12M /dev/urandom >source/log")
        let writer = try keepDoing("printf 'one more line\\n' >>source/log", in: fixture)
        let run = expect(try fixture.run("backup", fixture.source), code: 3)
        writer.kill(9)
        _ = try writer.wait()
        #expect(run.errors.contains("\(fixture.source)/log"))
        #expect(run.errors.contains("changed while it was read"))
        #expect(!run.errors.contains("source/calm"))
        expect(try restore(fixture), code: 0)
        try fixture.shell(
            "cmp target/calm source/calm; cmp -n $(stat -c %s target/log) target/log source/log")
        // What moved is not believed to be unchanged next time, whatever its times say.
        let again = try fixture.run("backup", "--json", fixture.source)
        #expect(try #require(expect(again, code: 0).number("files_changed")) >= 1)
    }

    @Test func fileThatShrinksWhileItIsReadDoesNotStopTheBackup() throws {
        let fixture = try HoldfastFixture()
        try fixture.shell(
            "echo calm >source/zz; head -c 8M /dev/urandom >source/big; cp source/big .")
        let writer = try keepDoing(
            "truncate -s $((RANDOM * 240)) source/big; cat big >source/big", in: fixture)
        for _ in 0..<3 {
            let run = try fixture.run("backup", fixture.source)
            #expect(run.code == 3 || run.code == 0, "\(run)")
            #expect(run.code == 0 || run.errors.contains("\(fixture.source)/big"))
            expect(try restore(fixture), code: 0)
            try fixture.shell("cmp target/zz source/zz")
        }
        writer.kill(9)
        _ = try writer.wait()
        try expect(fixture.run("verify", "--read-data"), code: 0)
    }

    @Test func filesThatComeAndGoAreNoReasonToStop() throws {
        let fixture = try HoldfastFixture()
        try fixture.shell("mkdir -p source/spool source/calm; seq 1000 >source/calm/f")
        let writer = try keepDoing(
            "for i in {1..40}; do mkdir -p source/spool/d$i; echo $i >source/spool/d$i/f; "
                + "ln -sf x source/spool/l$i; done; rm -rf source/spool/*", in: fixture)
        for _ in 0..<8 {
            let run = try fixture.run("backup", fixture.source)
            #expect(run.code == 3 || run.code == 0, "\(run)")
            if run.code == 3 { #expect(run.errors.contains("/spool/"), "\(run)") }
        }
        writer.kill(9)
        _ = try writer.wait()
        expect(try restore(fixture), code: 0)
        try fixture.shell("diff -r source/calm target/calm")
        try expect(fixture.run("verify", "--read-data"), code: 0)
    }

    /// A repository and sources of an ordinary user, with things in them that are not theirs.
    private func ordinaryFixture() throws -> HoldfastFixture {
        let fixture = try HoldfastFixture(makesRepository: false)
        try fixture.shell(
            """
            mkdir -p source/closed/inner source/listed source/open
            for f in closed/inner/f listed/f open/f open/closed; do echo $f >source/$f; done
            if [ $EUID = 0 ]; then chown -R 65534:65534 .; chown -R 0:0 source/{closed,listed,open/closed}; fi
            chmod 000 source/open/closed source/closed; chmod 744 source/listed
            [ $EUID = 0 ] || chmod 444 source/listed
            """)
        try expect(fixture.run("init", asOrdinaryUser: true), code: 0)
        return fixture
    }

    @Test func whatMayNotBeReadIsNamedAndTheRestComesBack() throws {
        let fixture = try ordinaryFixture()
        let run = try fixture.run("backup", fixture.source, asOrdinaryUser: true)
        expect(run, code: 3)
        for path in ["closed", "listed/f", "open/closed"] {
            #expect(run.errors.contains("\(fixture.source)/\(path):"), "\(path): \(run)")
        }
        #expect(run.errors.contains("snapshot") && run.errors.contains("saved"))
        let restored = try fixture.run(
            "restore", "latest:\(fixture.source)", "-t", fixture.target, asOrdinaryUser: true)
        #expect(restored.code == 0 || restored.code == 3, "\(restored)")
        #expect(try fixture.shell("cat target/open/f") == "open/f\n")
    }

    @Test func restoreWithDeleteSparesWhatCouldNotBeRead() throws {
        let fixture = try ordinaryFixture()
        try expect(fixture.run("backup", fixture.source, asOrdinaryUser: true), code: 3)
        try fixture.shell("chmod u+rwx source/{closed,listed}; touch source/open/new source/new")
        let restored = try fixture.run(
            "restore", "latest:\(fixture.source)", "-t", fixture.source, "--delete")
        #expect(restored.code == 0 || restored.code == 3, "\(restored)")
        let left = try fixture.lines("cd source; chmod -R u+rwx .; find . -type f | sort")
        #expect(left == ["./closed/inner/f", "./listed/f", "./open/closed", "./open/f"])
    }
}
