import Glibc
import Platform
import Testing

/// The nightly job as people have it: Debian's cron, its bare environment, a line in /etc/cron.d.
@Suite(.serialized)
struct CronTests {
    /// cron looks once a minute, so that this takes longer than all the others together.
    private static var isWanted: Bool {
        TestExtent.isFull || getenv("CI").map { String(cString: $0) } == "true"
    }

    private static var canRun: Bool {
        TestExtent.isRoot && access("/usr/sbin/cron", X_OK) == 0
    }

    @Test(
        .enabled(if: isWanted, "takes more than a minute: set CI=true or HOLDFAST_TEST_ALL=1"),
        .enabled(if: canRun, "needs root and Debian's cron: the cron job is NOT tested"))
    func nightlyJobIsSilentOnSuccessAndTellsAllOnFailure() throws {
        let fixture = try HoldfastFixture()
        try fixture.shell(
            """
            echo x >source/f; sqlite3 source/d.db 'CREATE TABLE t (x)'
            cat >job <<END
            #!/bin/sh
            # What cron would mail is what its command prints: here it goes to a file.
            name=\\$1; shift
            env >\(fixture.root)/environment.\\$name
            "\\$@" >\(fixture.root)/mail.\\$name 2>&1
            echo \\$? >\(fixture.root)/code.\\$name
            END
            chmod 755 job
            """)
        let job = fixture.root + "/job"
        let command =
            "\(HoldfastFixture.binary) -r \(fixture.repository) -p \(fixture.root)/password"
            + " --cache-dir \(fixture.root)/cache backup"
        let table = "/etc/cron.d/holdfast-test-\(getpid())"
        let text = """
            SHELL=/bin/sh
            * * * * * root \(job) good \(command) \(fixture.source)
            * * * * * root \(job) same \(command) \(fixture.source)
            * * * * * root \(job) bad \(command) \(fixture.root)/password /no/such

            """
        try fixture.shell("printf '%s' '\(text)' >table; install -m 644 table \(table)")
        defer { _ = unlink(table) }
        let wasRunning = try Subprocess.run(["pidof", "cron"], outputLimit: 1000).status.isSuccess
        let daemon = wasRunning ? nil : try Subprocess(["/usr/sbin/cron", "-f"], output: .null)
        try fixture.shell(
            "for i in {1..700}; do [ -e code.good ] && [ -e code.same ] && [ -e code.bad ] && exit; "
                + "sleep 0.2; done; exit 1")
        _ = unlink(table)
        daemon?.kill(SIGTERM)
        _ = try daemon?.wait()

        // Two runs of the same job do not overlap: one is done in time, or the other is locked out.
        let codes = try fixture.lines("cat code.good code.same").sorted()
        #expect(codes == ["0", "0"] || codes == ["0", "11"])
        for name in ["good", "same"] where try fixture.shell("cat code.\(name)") == "0\n" {
            #expect(try fixture.shell("cat mail.\(name)") == "")
        }
        #expect(try fixture.shell("cat code.bad") == "3\n")
        let mail = try fixture.shell("cat mail.bad")
        for words in ["/no/such: ", "Files: 1 new", "saved"] { #expect(mail.contains(words)) }
        #expect(try !fixture.shell("cat environment.good").contains("HOLDFAST"))
        let snapshots = try fixture.run("snapshots", "--path", fixture.source).output
        #expect(snapshots.contains("1 snapshot") || snapshots.contains("2 snapshots"))
        try expect(
            fixture.run(
                "restore", "--path", fixture.source, "latest:\(fixture.source)", "-t",
                fixture.target), code: 0)
        try fixture.shell("cmp target/f source/f")
    }
}
