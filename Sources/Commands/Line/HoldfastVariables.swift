package import Codec
package import Platform

/// What the variables `HOLDFAST_*` say, each of them checked.
///
/// A variable of that prefix that is unknown, empty or invalid is an error that names it: a
/// mistyped variable must not change silently what a nightly backup does.
package struct HoldfastVariables: Sendable {
    /// A variable and what it is for.
    package struct Description: Hashable, Sendable {
        package let name: String
        package let help: String
    }

    /// The variables that exist.
    package static let descriptions = [
        Description(name: "HOLDFAST_REPOSITORY", help: "the repository, as --repo"),
        Description(name: "HOLDFAST_PASSWORD", help: "the repository's password itself"),
        Description(name: "HOLDFAST_PASSWORD_FILE", help: "as --password-file"),
        Description(name: "HOLDFAST_PASSWORD_COMMAND", help: "as --password-command"),
        Description(name: "HOLDFAST_CACHE_DIR", help: "as --cache-dir"),
        Description(name: "HOLDFAST_COMPRESSION", help: "as --compression of backup"),
        Description(name: "HOLDFAST_HOST", help: "as --host"),
        Description(
            name: "HOLDFAST_PROGRESS_FPS",
            help: "how often a second progress is drawn: above 0, at most 60"),
    ]

    package let repository: FilePath?
    /// Where the password comes from, if a variable says so.
    package let password: PasswordSource?
    package let cacheDirectory: FilePath?
    package let compression: CompressionLevel?
    package let host: String?
    /// How often a second progress is drawn, above 0 and at most 60.
    package let progressPerSecond: Double?

    /// Reads the environment; throws a usage error that names the variable at fault.
    package init(_ environment: EnvironmentVariables) throws(CommandError) {
        let reader = VariableReader(environment: environment)
        try reader.refuseUnknown()
        repository = try reader.value("HOLDFAST_REPOSITORY").map { FilePath(bytes: $0) }
        password = try reader.password()
        cacheDirectory = try reader.value("HOLDFAST_CACHE_DIR").map { FilePath(bytes: $0) }
        compression = try reader.compression("HOLDFAST_COMPRESSION")
        host = try reader.text("HOLDFAST_HOST")
        progressPerSecond = try reader.rate("HOLDFAST_PROGRESS_FPS", upTo: 60)
    }
}

private struct VariableReader {
    let environment: EnvironmentVariables

    func refuseUnknown() throws(CommandError) {
        let known = HoldfastVariables.descriptions.map(\.name)
        for name in environment.names(beginningWith: "HOLDFAST_") where !known.contains(name) {
            throw .usage(
                "unknown variable \(PathText.shown(Array(name.utf8)))",
                hint: NearestName.of(name, among: known).map { "did you mean \($0)?" }
                    ?? "holdfast help lists the variables; unset this one")
        }
    }

    func value(_ name: String) throws(CommandError) -> [UInt8]? {
        guard let value = environment[name] else { return nil }
        guard !value.isEmpty else {
            throw .usage("variable \(name) is set, but empty", hint: "unset \(name)")
        }
        return value
    }

    func text(_ name: String) throws(CommandError) -> String? {
        guard let value = try value(name) else { return nil }
        guard let text = String(validating: value, as: UTF8.self) else {
            throw .usage("variable \(name) is not UTF-8: \(PathText.shown(value))")
        }
        return text
    }

    func compression(_ name: String) throws(CommandError) -> CompressionLevel? {
        guard let value = try value(name) else { return nil }
        let words = CompressionLevel.allCases.map(\.rawValue)
        try ValueKind.words(words).check(value, of: "variable \(name)")
        return CompressionLevel(rawValue: String(decoding: value, as: UTF8.self))
    }

    func rate(_ name: String, upTo most: Double) throws(CommandError) -> Double? {
        guard let text = try text(name) else { return nil }
        guard let rate = Double(text), rate > 0, rate <= most else {
            throw .usage(
                "variable \(name) is no number above 0 and at most \(Int(most)): "
                    + PathText.shown(Array(text.utf8)))
        }
        return rate
    }

    func password() throws(CommandError) -> PasswordSource? {
        let file = try value("HOLDFAST_PASSWORD_FILE")
        let command = try value("HOLDFAST_PASSWORD_COMMAND")
        let password = try value("HOLDFAST_PASSWORD")
        let sources: [(String, PasswordSource)] = [
            password.map { ("HOLDFAST_PASSWORD", .given($0)) },
            file.map { ("HOLDFAST_PASSWORD_FILE", .file(FilePath(bytes: $0))) },
            command.map { ("HOLDFAST_PASSWORD_COMMAND", .command($0)) },
        ].compactMap { $0 }
        guard sources.count <= 1 else {
            throw .usage(
                "variables \(sources.map(\.0).joined(separator: " and ")) both say where the "
                    + "password is",
                hint: "unset all but one of them")
        }
        return sources.first?.1
    }
}
