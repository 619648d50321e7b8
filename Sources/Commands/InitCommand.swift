import Codec
import Platform
import Repository

extension InitCommand {
    /// Makes a repository.
    static func run(_ parsed: ParsedCommand, _ context: CommandContext) throws -> ExitCode {
        let path = try context.settings.repository()
        let place = try place(in: try path.absolute())
        let password = try PasswordReader(context).read(context.settings.password, asksTwice: true)
        let identity = try commandErrors {
            try RepositoryConfig.create(
                at: place, password: password, parameters: .standard,
                world: World.system())
        }
        context.report.note("created repository \(identity.prefix(10)) at \(path)")
        context.report.note(
            "keep the password apart from it: without it nobody can read the backups")
        context.report.answer(summary(identity, path))
        return .done
    }

    private static func place(in path: FilePath) throws -> any Place {
        do {
            return try Session.place(in: path)
        } catch let error as RepositoryError where error.code == .missing {
            throw CommandError(
                .failed, "no repository can be made at \(path): it is not a directory",
                hint: "name a directory that does not exist yet, or is empty")
        }
    }

    private static func summary(_ identity: String, _ path: FilePath) -> JSONLine {
        var line = JSONLine("initialized")
        line.add("id", identity)
        line.add("repository", path: path.bytes)
        return line
    }
}
