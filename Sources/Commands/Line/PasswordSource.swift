package import Platform

/// Where the repository's password comes from.
package enum PasswordSource: Hashable, Sendable {
    /// It is asked for on the terminal.
    case terminal
    /// It is this one, from the environment.
    case given([UInt8])
    /// It is what the file holds, without the newline at its end.
    case file(FilePath)
    /// It is what the shell command prints, without the newline at its end.
    case command([UInt8])
    /// The repository has the empty password.
    case none

    /// What the options say; nil where they say nothing. Throws a usage error when they disagree.
    static func ofOptions(_ parsed: ParsedCommand) throws(CommandError) -> PasswordSource? {
        let file = try parsed.path(GlobalOptions.passwordFile)
        let command = parsed.values(of: GlobalOptions.passwordCommand).first
        let isNone = parsed.has(GlobalOptions.insecureNoPassword)
        let sources: [(String, PasswordSource)] = [
            file.map { ("--password-file", .file($0)) },
            command.map { ("--password-command", .command($0)) },
            isNone ? ("--insecure-no-password", .none) : nil,
        ].compactMap { $0 }
        guard sources.count <= 1 else {
            let names = sources.map(\.0).joined(separator: " and ")
            throw .usage("options \(names) exclude each other")
        }
        if case .command([]) = sources.first?.1 {
            throw .usage("option --password-command names no command: its value is empty")
        }
        return sources.first?.1
    }
}
