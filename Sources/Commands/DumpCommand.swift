import Backup
import Codec
import Glibc
import Platform
import Repository
import Timeline

extension DumpCommand {
    /// Writes one file of a snapshot.
    static func run(_ parsed: ParsedCommand, _ context: CommandContext) throws -> ExitCode {
        let latest = try LatestChoice(parsed)
        return try Session.run(context, purpose: "dump", writes: false) { session in
            let choice = try latest.choose(parsed.arguments[0], in: session, context)
            let path = try FilePath(
                bytes: choice.path.bytes + [UInt8(ascii: "/")] + parsed.arguments[1]
            ).absolute()
            let target = try parsed.path(self.target).map { try DumpTarget(writing: $0) }
            let dump = FileDump(session.repository)
            do {
                try dump.run(path, of: choice.snapshot) { bytes in
                    if let target {
                        try target.write(bytes)
                    } else {
                        context.report.answer(bytes: bytes)
                    }
                }
            } catch {
                try target?.discard()
                throw error
            }
            try target?.finish()
            return .done
        }
    }
}

/// A file that appears under its name once all of it is written.
private final class DumpTarget {
    private let path: FilePath
    private let temporary: FilePath
    private let file: any DiskWriter
    private let disk = LinuxDisk()

    init(writing path: FilePath) throws {
        self.path = path
        temporary = FilePath(
            bytes: path.bytes + Array(".holdfast-\(SystemRandomness().bytes(8).hex)".utf8))
        file = try disk.create(temporary)
    }

    func write(_ bytes: [UInt8]) throws {
        try bytes.withUnsafeBytes { try file.write($0) }
    }

    func finish() throws {
        try file.sync()
        try file.close()
        do {
            try disk.renameExclusively(temporary, to: path)
        } catch {
            try disk.remove(temporary)
            guard error.errno == .fileExists else { throw error }
            throw CommandError(
                .failed, "\(path) exists already", hint: "choose another name, or remove it first")
        }
    }

    func discard() throws {
        try file.close()
        try disk.remove(temporary)
    }
}
