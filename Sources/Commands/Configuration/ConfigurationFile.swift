package import Platform

/// The file that a configuration stands in.
package enum ConfigurationFile {
    /// Where it stands unless `--config` names another.
    package static let standard: FilePath = "/etc/holdfast/holdfast.json5"

    /// Its bytes; throws where it cannot be read.
    static func bytes(_ path: FilePath) throws(CommandError) -> [UInt8] {
        do {
            // One byte more than can be read as a configuration, which then says so.
            return try Descriptor.contents(of: path, limit: JSON5Parser.sizeLimit + 1)
        } catch {
            throw CommandError(
                .usage, "the configuration cannot be read: \(error)",
                hint: "name another one by --config FILE")
        }
    }

    /// The configuration; throws a usage error that names the first mistake in it.
    package static func read(_ path: FilePath) throws(CommandError) -> HostConfiguration {
        let (configuration, mistakes) = ConfigurationReader.read(try bytes(path))
        guard let configuration, mistakes.isEmpty else {
            throw .usage(
                "\(path):" + (mistakes.first?.line ?? "1:1: this is no configuration"),
                hint: mistakes.count > 1
                    ? "holdfast config check \(path) names this and \(mistakes.count - 1) more"
                    : "mend it; holdfast config check \(path) looks it over")
        }
        return configuration
    }

    /// Whether somebody put one at the standard place.
    static var isThere: Bool {
        do {
            return try FileStatus.ofExisting(standard) != nil
        } catch {
            return false  // nobody's business who may not look there
        }
    }
}
