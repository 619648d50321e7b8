/// The options that every command takes, before its name or after it.
package enum GlobalOptions {
    package static let repository = OptionDescription(
        "repo", short: "r", form: .value("LOCATION", .directory),
        help: "the repository", variable: "HOLDFAST_REPOSITORY")
    package static let passwordFile = OptionDescription(
        "password-file", short: "p", form: .value("FILE", .file),
        help: "read the repository's password from this file",
        variable: "HOLDFAST_PASSWORD_FILE")
    package static let passwordCommand = OptionDescription(
        "password-command", form: .value("COMMAND", .text),
        help: "take the repository's password from what this shell command prints",
        variable: "HOLDFAST_PASSWORD_COMMAND")
    package static let insecureNoPassword = OptionDescription(
        "insecure-no-password",
        help: "use the empty password: whoever reads the repository reads the data")
    package static let config = OptionDescription(
        "config", short: "c", form: .value("FILE", .file),
        help: "take repository, password and host from this configuration (default: "
            + "/etc/holdfast/holdfast.json5, where that is and no --repo says otherwise)")
    package static let json = OptionDescription(
        "json", help: "print JSON lines for programs")
    package static let quiet = OptionDescription(
        "quiet", short: "q", help: "no progress, and no word on success")
    package static let verbose = OptionDescription(
        "verbose", short: "v", help: "say more; twice: name every file", isRepeatable: true)
    package static let cacheDirectory = OptionDescription(
        "cache-dir", form: .value("DIR", .directory),
        help: "keep the local catalogue here", variable: "HOLDFAST_CACHE_DIR")
    package static let retryLock = OptionDescription(
        "retry-lock", form: .value("DURATION", .text),
        help: "wait so long for a locked repository, such as 5m")

    /// All of them, in the order of help.
    package static let all = [
        repository, passwordFile, passwordCommand, insecureNoPassword, config, json, quiet,
        verbose, cacheDirectory, retryLock,
    ]
}
