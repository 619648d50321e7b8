import Glibc
import Platform

/// Fetches the password from where the settings say.
struct PasswordReader {
    private static let limit = 64 << 10

    private let context: CommandContext

    init(_ context: CommandContext) {
        self.context = context
    }

    /// The password's bytes; throws where there is none to be had.
    func read(_ source: PasswordSource, asksTwice: Bool = false) throws -> [UInt8] {
        switch source {
        case .none: return []
        case .given(let password): return try checked(password, "HOLDFAST_PASSWORD")
        case .file(let path): return try checked(contents(of: path), "the password file \(path)")
        case .command(let command): return try checked(output(of: command), "the password command")
        case .terminal:
            let password = try ask("password: ")
            if asksTwice, try ask("the same again: ") != password {
                throw CommandError(.failed, "the two passwords differ")
            }
            return try checked(password, "the terminal")
        }
    }

    private func checked(_ password: [UInt8], _ source: String) throws -> [UInt8] {
        guard !password.isEmpty else {
            throw CommandError(
                .failed, "\(source) gave an empty password",
                hint: "say --insecure-no-password if the repository is to have none")
        }
        return password
    }

    private func contents(of path: FilePath) throws -> [UInt8] {
        do {
            return withoutNewline(
                try Descriptor.contents(of: path, limit: PasswordReader.limit))
        } catch {
            throw CommandError(
                .failed, "the password file cannot be read: \(error)",
                hint: "check the path given by --password-file or HOLDFAST_PASSWORD_FILE")
        }
    }

    private func output(of command: [UInt8]) throws -> [UInt8] {
        let shell = try Subprocess(
            ["/bin/sh", "-c"].map { Array($0.utf8) } + [command], input: .inherited, output: .pipe)
        let output = try shell.takeOutput()?.readAll(limit: PasswordReader.limit) ?? []
        let status = try shell.wait()
        guard status.isSuccess else {
            throw CommandError(.failed, "the password command failed: \(status)")
        }
        return withoutNewline(output)
    }

    private func withoutNewline(_ bytes: [UInt8]) -> [UInt8] {
        var bytes = bytes
        if bytes.last == UInt8(ascii: "\n") { bytes.removeLast() }
        if bytes.last == UInt8(ascii: "\r") { bytes.removeLast() }
        return bytes
    }

    /// What would end the process while the terminal does not show what is typed.
    private static let endings = [SIGINT, SIGTERM, SIGHUP, SIGQUIT]
    private static let pauseMilliseconds: CInt = 100

    /// Asks on the terminal, without showing what is typed.
    private func ask(_ prompt: String) throws -> [UInt8] {
        let terminal = try openTerminal()
        var (endings, mask) = (sigset_t(), sigset_t())
        sigemptyset(&endings)
        for signal in PasswordReader.endings { sigaddset(&endings, signal) }
        // A signal waits until the terminal is again as it was, and then does what it does.
        pthread_sigmask(SIG_BLOCK, &endings, &mask)
        defer { pthread_sigmask(SIG_SETMASK, &mask, nil) }
        var before = termios()
        tcgetattr(terminal.raw, &before)
        var silent = before
        silent.c_lflag &= ~tcflag_t(ECHO)
        tcsetattr(terminal.raw, TCSAFLUSH, &silent)
        defer { tcsetattr(terminal.raw, TCSAFLUSH, &before) }
        return try PasswordReader.line(from: terminal, prompt)
    }

    private static func awaitInput(on terminal: borrowing Descriptor) throws(CommandError) {
        while true {
            var pending = sigset_t()
            sigpending(&pending)
            if Interruption.isRequested
                || endings.contains(where: { sigismember(&pending, $0) == 1 })
            {
                throw CommandError(.interrupted, "interrupted")
            }
            var file = pollfd(fd: terminal.raw, events: Int16(POLLIN), revents: 0)
            if poll(&file, 1, pauseMilliseconds) > 0 { return }
        }
    }

    private func openTerminal() throws -> Descriptor {
        do {
            return try Descriptor.open(FilePath("/dev/tty"), flags: O_RDWR | O_NOCTTY)
        } catch {
            throw CommandError(
                .failed, "no password was given, and there is no terminal to ask on",
                hint: "give --password-file FILE, --password-command or HOLDFAST_PASSWORD")
        }
    }

    private static func line(
        from terminal: borrowing Descriptor, _ prompt: String
    ) throws -> [UInt8] {
        try Array(prompt.utf8).withUnsafeBytes { try terminal.write($0) }
        defer { try? [UInt8(ascii: "\n")].withUnsafeBytes { try terminal.write($0) } }
        var line: [UInt8] = []
        while line.count < limit {
            try awaitInput(on: terminal)
            var byte: UInt8 = 0
            let got = try withUnsafeMutableBytes(of: &byte) {
                try terminal.readAvailable(into: $0)
            }
            guard got == 1, byte != UInt8(ascii: "\n") else { break }
            line.append(byte)
        }
        return line
    }
}
