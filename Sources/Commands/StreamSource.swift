import Backup
import Glibc
import Platform

/// A backup of what standard input, or a command, gives.
struct StreamSource {
    private enum Kind {
        case standardInput
        case command([[UInt8]])
    }

    private let kind: Kind
    private let name: [UInt8]
    /// Where the snapshot has it.
    var path: FilePath { FilePath("/").appending(name) }

    /// Nil where paths are to be backed up; throws a usage error where both are asked for.
    init?(_ parsed: ParsedCommand) throws {
        let stdin = parsed.has(BackupCommand.StandardInput.stdin)
        let command = parsed.has(BackupCommand.StandardInput.fromCommand)
        guard stdin || command else {
            guard !parsed.has(BackupCommand.StandardInput.filename) else {
                throw CommandError.usage(
                    "option --stdin-filename goes with --stdin or --stdin-from-command only")
            }
            return nil
        }
        guard !(stdin && command) else {
            throw CommandError.usage("options --stdin and --stdin-from-command exclude each other")
        }
        guard !parsed.has(BackupCommand.SourceSelection.filesFrom) else {
            throw CommandError.usage("option --files-from cannot go with standard input")
        }
        let name = try parsed.text(BackupCommand.StandardInput.filename) ?? "stdin"
        guard !name.isEmpty, !name.contains("/"), name != ".", name != ".." else {
            throw CommandError.usage("option --stdin-filename must be one name without '/'")
        }
        self.name = Array(name.utf8)
        if command {
            guard !parsed.argumentsPastOptions.isEmpty else {
                throw CommandError.usage(
                    "option --stdin-from-command needs a command",
                    hint: "say --stdin-from-command -- COMMAND [ARGUMENT…]")
            }
            kind = .command(parsed.argumentsPastOptions)
        } else {
            guard parsed.arguments.isEmpty else {
                throw CommandError.usage("option --stdin takes no paths")
            }
            kind = .standardInput
        }
    }

    /// The open stream for the archiver.
    func open() throws -> ArchiveStream {
        switch kind {
        case .standardInput:
            let descriptor = try Descriptor.duplicate(of: 0)
            return ArchiveStream(name: name, descriptor: descriptor) {}
        case .command(let words):
            let process = try Subprocess(words, input: .inherited, output: .pipe)
            guard let output = process.takeOutput() else {
                preconditionFailure("a piped command without a pipe")
            }
            return ArchiveStream(name: name, descriptor: output) {
                let status = try process.wait()
                guard status.isSuccess else {
                    throw CommandError(
                        .failed, "the command failed (\(status)); no snapshot was made",
                        hint: "run the command by itself to see why")
                }
            }
        }
    }
}
