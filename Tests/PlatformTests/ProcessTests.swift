import Glibc
import Platform
import Testing

@Suite(.serialized)
struct ProcessTests {
    @Test func processIsAliveUntilItIsKilled() throws {
        let sleeper = try Subprocess(["sleep", "600"], output: .null)
        let identity = try ProcessIdentity.of(pid: sleeper.processID)
        #expect(identity.isAlive())
        sleeper.kill(SIGKILL)
        // Not waited for yet, it is a zombie at the latest after a moment.
        for _ in 0..<500 where identity.isAlive() { SystemClock().sleep(nanoseconds: 10_000_000) }
        #expect(!identity.isAlive())
        #expect(try sleeper.wait() == .signalled(SIGKILL))
        #expect(!identity.isAlive())
    }

    @Test func laterProcessOfTheSameNumberIsAnother() throws {
        let own = try ProcessIdentity.current()
        #expect(own.pid == getpid() && own.bootID.count == 16)
        #expect(own.isAlive())
        let earlier = ProcessIdentity(
            bootID: own.bootID, pid: own.pid, startTime: own.startTime - 1)
        #expect(!earlier.isAlive())
        var otherBoot = own.bootID
        otherBoot[3] ^= 1
        let before = ProcessIdentity(
            bootID: otherBoot, pid: own.pid, startTime: own.startTime)
        #expect(!before.isAlive())
        #expect(!ProcessIdentity(bootID: own.bootID, pid: 0, startTime: 0).isAlive())
        #expect(!ProcessIdentity.hostName().isEmpty)
        #expect(try ProcessIdentity.namespace().hasPrefix("pid:["))
    }

    @Test func outputAndStatusOfACommandAreAnswered() throws {
        let answer = try Subprocess.run(
            ["sh", "-c", "printf '%s' \"$WORD\"; exit 7"],
            environment: ["WORD=hold fast", "PATH=/usr/bin:/bin"], outputLimit: 100)
        #expect(answer.output == "hold fast".bytes)
        #expect(answer.status == .exited(7) && !answer.status.isSuccess)
    }

    @Test func argumentsOfAnyBytesReachTheCommand() throws {
        let word: [UInt8] = [0xFF, 0x0A, 0x20, 0x27]
        let process = try Subprocess(["printf".bytes, "%s".bytes, word])
        let output = try process.takeOutput()?.readAll(limit: 100)
        #expect(output == word)
        #expect(try process.wait().isSuccess)
        #expect(try process.wait().isSuccess)
    }

    @Test func commandReadsNothingOrWhatItIsGiven() throws {
        #expect(try Subprocess.run(["cat"], outputLimit: 10).output.isEmpty)
        let directory = try TemporaryDirectory()
        try directory.file("f", [1, 2, 3])
        let file = try Descriptor.open(directory.path.appending("f"), flags: O_RDONLY)
        let answer = try Subprocess.run(["cat"], input: .descriptor(file.raw), outputLimit: 10)
        #expect(answer.output == [1, 2, 3])
    }

    @Test func commandThatPrintsTooMuchIsEnded() throws {
        let failure = try errno { _ = try Subprocess.run(["yes"], outputLimit: 100_000) }
        #expect(failure == .fileTooLarge)
    }

    @Test func missingCommandIsAnErrorOfItsOwn() throws {
        let missing = try errno { _ = try Subprocess(["no-such-command-here"]) }
        #expect(missing == .noSuchFile)
        #expect(try errno { _ = try Subprocess([String]()) } == .invalidArgument)
        #expect(try errno { _ = try Subprocess(["a\0b"]) } == .invalidArgument)
    }

    @Test func firstSignalAsksAndTheSecondWouldEnd() throws {
        try withDisposition(of: SIGTERM, sigaction()) {
            let signals = try Signals()
            #expect(!Interruption.isRequested)
            raise(SIGTERM)
            #expect(Interruption.signal == SIGTERM)
            #expect(handler(of: SIGTERM) == 0)
            withExtendedLifetime(signals) {}
        }
        Interruption.clear()
        #expect(!Interruption.isRequested)
    }

    @Test func ignoredSignalStaysIgnored() throws {
        var ignoring = sigaction()
        ignoring.__sigaction_handler.sa_handler = SIG_IGN
        try withDisposition(of: SIGTERM, ignoring) {
            let signals = try Signals()
            raise(SIGTERM)
            #expect(!Interruption.isRequested)
            withExtendedLifetime(signals) {}
            #expect(handler(of: SIGTERM) == 1)
        }
    }

    /// The runner of the tests hands down its own, and blocks signals; it gets all of it back.
    private func withDisposition(
        of signal: CInt, _ action: sigaction, _ body: () throws -> Void
    ) throws {
        var action = action
        var previous = sigaction()
        #expect(sigaction(signal, &action, &previous) == 0)
        var unblocked = sigset_t()
        var mask = sigset_t()
        sigemptyset(&unblocked)
        sigaddset(&unblocked, signal)
        pthread_sigmask(SIG_UNBLOCK, &unblocked, &mask)
        defer {
            pthread_sigmask(SIG_SETMASK, &mask, nil)
            sigaction(signal, &previous, nil)
        }
        try body()
    }

    /// 0 for the default, 1 for a signal that is ignored.
    private func handler(of signal: CInt) -> Int {
        var now = sigaction()
        sigaction(signal, nil, &now)
        return unsafeBitCast(now.__sigaction_handler.sa_handler, to: Int.self)
    }
}

struct SeamTests {
    @Test func systemClockSleepsAtLeastAsLongAsAsked() {
        let clock = SystemClock()
        let start = clock.bootTime()
        clock.sleep(nanoseconds: 20_000_000)
        #expect(clock.bootTime() >= start + 20_000_000)
        #expect(clock.now().seconds > 1_700_000_000)
    }

    @Test func systemRandomnessFillsEveryByte() {
        let samples = (0..<40).map { _ in SystemRandomness().bytes(700) }
        #expect(Set(samples).count == samples.count)
        for index in 0..<700 { #expect(Set(samples.map { $0[index] }).count > 1) }
        #expect(SystemRandomness().bytes(0).isEmpty)
    }
}
