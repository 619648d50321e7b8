import Platform
import Testing

/// The password prompt on a terminal.
@Suite struct PromptTests {
    /// Runs the binary on a terminal of its own, types something at the prompt, and answers how it
    /// ended and whether the terminal shows what is typed.
    private static let script = """
        import fcntl, os, pty, subprocess, sys, termios
        master, slave = pty.openpty()
        def begin():
            os.setsid()
            fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
        child = subprocess.Popen(sys.argv[2:], stdin=slave, stdout=slave, stderr=slave, preexec_fn=begin)
        text = b''
        while b'password: ' not in text:
            text += os.read(master, 1000)
        silent = termios.tcgetattr(slave)[3] & termios.ECHO == 0
        os.write(master, sys.argv[1].encode().decode('unicode_escape').encode())
        code = child.wait(20)
        shown = termios.tcgetattr(slave)[3] & termios.ECHO != 0
        print(code, silent, shown)
        """

    @Test(arguments: [
        ("snapshots", "\\x03", "-2"), ("snapshots", "\\x1c", "-3"), ("restore", "\\x03", "130"),
        ("snapshots", "sesame\\n", "0"),
    ])
    func whateverEndsThePromptTheTerminalShowsAgainWhatIsTyped(
        _ command: String, _ typed: String, _ code: String
    ) throws {
        let fixture = try HoldfastFixture()
        let file = try Descriptor.open(FilePath(fixture.root + "/prompt.py"), flags: 0o101)
        try Array(Self.script.utf8).withUnsafeBytes { try file.write($0) }
        let target = command == "restore" ? "--target \(fixture.root)/x" : ""
        let found = try fixture.lines(
            """
            unset ${!HOLDFAST_*}
            env --default-signal=INT,QUIT SWIFT_BACKTRACE=enable=no HOLDFAST_CACHE_DIR=$PWD/cache \
            HOLDFAST_REPOSITORY=$PWD/repository python3 prompt.py '\(typed)' '\(HoldfastFixture.binary)' \
            \(command) \(target)
            """)
        #expect(found.last == "\(code) True True")
    }
}
