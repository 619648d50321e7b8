import CLinux
import Glibc
import Synchronization

/// A command that this process started. It shares our standard error and process group.
///
/// One that is let go before it was waited for is killed, so that none stays behind.
package final class Subprocess: Sendable {
    /// What the command reads as its standard input.
    package enum Input: Sendable {
        /// /dev/null
        case null
        /// Our own.
        case inherited
        /// A descriptor of ours, which stays ours.
        case descriptor(CInt)
    }

    /// Where the command's standard output goes.
    package enum Output: Sendable {
        /// /dev/null
        case null
        /// Where ours goes.
        case inherited
        /// Into a pipe: see ``takeOutput()``.
        case pipe
    }

    package let processID: Int32
    private let output: Mutex<Descriptor?>
    private let status = Mutex<ExitStatus?>(nil)
    private let name: FilePath

    /// Starts a command, which is looked for in PATH where its first argument holds no slash.
    ///
    /// `environment` holds `NAME=VALUE` entries and is ours where it is nil. Throws ENOENT where
    /// there is no such command. Source: posix_spawnp(3).
    package init(
        _ arguments: [[UInt8]], environment: [[UInt8]]? = nil, input: Input = .null,
        output: Output = .pipe
    ) throws(SystemError) {
        name = FilePath(bytes: arguments.first ?? [])
        let strings = arguments + (environment ?? [])
        guard !name.bytes.isEmpty, !strings.contains(where: { $0.contains(0) }) else {
            throw SystemError("spawn", name, .invalidArgument)
        }
        var actions = try FileActions()
        try actions.setInput(input)
        switch output {
        case .inherited: self.output = Mutex(nil)
        case .null:
            try actions.open(1, "/dev/null", O_WRONLY)
            self.output = Mutex(nil)
        case .pipe:
            let pipe = try Pipe()
            try actions.duplicate(pipe.writing.raw, as: 1)
            processID = try spawn(name, arguments, environment, &actions)
            self.output = Mutex(pipe.keepingReading())
            return
        }
        processID = try spawn(name, arguments, environment, &actions)
    }

    package convenience init(
        _ arguments: [String], environment: [String]? = nil, input: Input = .null,
        output: Output = .pipe
    ) throws(SystemError) {
        try self.init(
            arguments.map { Array($0.utf8) }, environment: environment?.map { Array($0.utf8) },
            input: input, output: output)
    }

    deinit {
        guard status.withLock({ $0 == nil }) else { return }
        kill(SIGKILL)
        _ = try? wait()
    }

    /// The end to read the command's standard output from: once, and only with `.pipe`.
    package func takeOutput() -> Descriptor? {
        output.withLock { $0.take() }
    }

    /// Waits for the command to end; every call answers the same. Source: waitid(2).
    package func wait() throws(SystemError) -> ExitStatus {
        if let known = status.withLock({ $0 }) { return known }
        // Waits without reaping, so that `kill` meanwhile cannot hit a later process of this id.
        var information = siginfo_t()
        _ = try systemCall("wait", name) {
            waitid(P_PID, id_t(processID), &information, WEXITED | WNOWAIT)
        }
        return try status.withLock { (status) throws(SystemError) -> ExitStatus in
            if let status { return status }
            var code: CInt = 0
            _ = try systemCall("wait", name) { waitpid(processID, &code, 0) }
            let ended = ExitStatus(waitStatus: code)
            status = ended
            return ended
        }
    }

    /// Sends a signal; nothing happens once the command was waited for. Source: kill(2).
    package func kill(_ signal: CInt = SIGTERM) {
        status.withLock { status in
            if status == nil { _ = Glibc.kill(processID, signal) }
        }
    }

    /// Runs a command to its end and answers what it printed.
    ///
    /// It is killed, and EFBIG thrown, where it prints more than `outputLimit` bytes.
    package static func run(
        _ arguments: [String], environment: [String]? = nil, input: Input = .null,
        outputLimit: Int
    ) throws(SystemError) -> (status: ExitStatus, output: [UInt8]) {
        let process = try Subprocess(arguments, environment: environment, input: input)
        guard let pipe = process.takeOutput() else { return (try process.wait(), []) }
        let output = try pipe.readAll(limit: outputLimit)
        return (try process.wait(), output)
    }
}
