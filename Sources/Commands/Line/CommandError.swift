import Glibc

/// Why a command ends without success: what failed and why, and what mends it.
///
/// Printed as `holdfast: <message>` and, where there is something to do, `hint: <sentence>`; both
/// begin in lower case. Under `--json` it is one `exit_error` line.
package struct CommandError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The exit code of the process.
    package let code: ExitCode
    /// What failed and why, on one line, in lower case, without a full stop.
    package let message: String
    /// What the reader can do about it, best as the command that does it.
    package let hint: String?

    /// Makes an error that ends the command with `code`.
    package init(_ code: ExitCode, _ message: String, hint: String? = nil) {
        self.code = code
        self.message = message
        self.hint = hint
    }

    /// Makes an error in the command line, a variable or the configuration.
    package static func usage(_ message: String, hint: String? = nil) -> CommandError {
        CommandError(.usage, message, hint: hint)
    }

    /// The lines a person reads, without the newline at their ends.
    package var lines: [String] {
        ["holdfast: \(message)"] + (hint.map { ["hint: \($0)"] } ?? [])
    }

    package var description: String { lines.joined(separator: "\n") }

    /// The same error, ending the command with another code.
    package func with(code: ExitCode) -> CommandError {
        CommandError(code, message, hint: hint)
    }
}

extension CommandError {
    /// Standard output could not be written, so what was printed is incomplete; `code` is errno.
    static func outputFailed(_ code: CInt) -> CommandError {
        CommandError(
            .failed, "standard output cannot be written: \(String(cString: strerror(code)))")
    }
}
