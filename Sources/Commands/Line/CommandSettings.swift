package import Codec
package import Platform

/// What the global options and the environment say together; an option outranks its variable.
package struct CommandSettings: Sendable {
    /// The repository, if one was named.
    package let repositoryIfNamed: FilePath?
    package let password: PasswordSource
    /// How the run speaks.
    package let voice: Voice
    /// Where the catalogue lives; it need not exist.
    package let cacheDirectory: FilePath
    /// How long to wait for a locked repository; nil does not wait.
    package let retryLock: Duration?
    /// The level of `HOLDFAST_COMPRESSION`, which `--compression` outranks.
    package let compression: CompressionLevel?
    /// The host name of `HOLDFAST_HOST`, which `--host` outranks.
    package let host: String?
    /// What `--config` names, or the standard place where it was needed; which file that is.
    package let configuration: (file: FilePath, content: HostConfiguration)?
    /// How often a second progress is drawn.
    package let progressPerSecond: Double

    /// Puts the options and the environment together; throws a usage error that names what is
    /// invalid, or which two exclude each other.
    package init(
        _ parsed: ParsedCommand, _ environment: EnvironmentVariables
    ) throws(CommandError) {
        let variables = try HoldfastVariables(environment)
        let repository = try parsed.path(GlobalOptions.repository) ?? variables.repository
        if let repository { try CommandSettings.requireDirectory(repository) }
        configuration = try CommandSettings.configuration(parsed, isNeeded: repository == nil)
        let entry = configuration?.content.repository
        repositoryIfNamed = repository ?? entry?.location.value
        password =
            try PasswordSource.ofOptions(parsed) ?? variables.password ?? entry?.password
            ?? .terminal
        voice = try Voice(parsed)
        let cacheDirectory =
            try parsed.path(GlobalOptions.cacheDirectory) ?? variables.cacheDirectory
        self.cacheDirectory =
            if let cacheDirectory { cacheDirectory } else {
                try CacheLocation.standard(environment)
            }
        retryLock = try parsed.duration(GlobalOptions.retryLock)
        compression = variables.compression
        host = variables.host ?? configuration?.content.node
        progressPerSecond = variables.progressPerSecond ?? 10
    }

    /// Who comes from another program may name a place as that one does.
    private static func requireDirectory(_ repository: FilePath) throws(CommandError) {
        let kinds = ["s3:", "sftp:", "rest:", "rclone:", "b2:", "azure:", "gs:", "swift:", "ssh:"]
        guard kinds.contains(where: { repository.bytes.starts(with: $0.utf8) }) else { return }
        throw .usage(
            "a repository is a directory, and \(repository) names another kind of place",
            hint: "name a directory, which may be mounted from elsewhere; "
                + "./\(repository) is one of that name")
    }

    private static func configuration(
        _ parsed: ParsedCommand, isNeeded: Bool
    ) throws(CommandError) -> (file: FilePath, content: HostConfiguration)? {
        // The command that looks a configuration over has to live with a wrong one.
        guard parsed.command != ConfigCommand.description else { return nil }
        if let file = try parsed.path(GlobalOptions.config) {
            return (file, try ConfigurationFile.read(file))
        }
        guard isNeeded, ConfigurationFile.isThere else { return nil }
        let file = ConfigurationFile.standard
        return (file, try ConfigurationFile.read(file))
    }

    /// The repository; throws a usage error when none was named.
    package func repository() throws(CommandError) -> FilePath {
        guard let repositoryIfNamed else {
            throw .usage(
                "no repository was named",
                hint: "say --repo DIR or --config FILE, or set HOLDFAST_REPOSITORY")
        }
        return repositoryIfNamed
    }
}

/// How a run speaks: to a person or to a program, and how much.
package struct Voice: Hashable, Sendable {
    /// JSON lines instead of sentences.
    package var isJSON: Bool
    /// No progress, and silence on success.
    package var isQuiet: Bool
    /// 0, or how often `--verbose` was given.
    package var verbosity: Int

    /// Makes a voice.
    package init(isJSON: Bool = false, isQuiet: Bool = false, verbosity: Int = 0) {
        self.isJSON = isJSON
        self.isQuiet = isQuiet
        self.verbosity = verbosity
    }

    /// What `--json`, `--quiet` and `--verbose` ask for; throws a usage error for the last two
    /// together.
    init(_ parsed: ParsedCommand) throws(CommandError) {
        let isQuiet = parsed.has(GlobalOptions.quiet)
        let verbosity = parsed.count(GlobalOptions.verbose)
        guard !isQuiet || verbosity == 0 else {
            throw .usage("options --quiet and --verbose exclude each other")
        }
        self.init(
            isJSON: parsed.has(GlobalOptions.json), isQuiet: isQuiet, verbosity: verbosity)
    }
}
