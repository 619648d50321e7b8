package import Codec
import Platform

/// The `config` file: which repository this is, and of which version.
package enum RepositoryConfig {
    /// The repository's id, 32 hexadecimal digits; throws `missing` where there is none.
    package static func read(from place: any Place) throws -> String {
        guard let bytes = try place.readConfig() else {
            throw RepositoryError(
                .missing, "there is no repository at \(place.location)",
                hint: "Make one with 'holdfast init -r \(place.location)'.")
        }
        let file = try ControlFile(bytes, kind: "repository", location: "config")
        let identity = try file.value("id", in: "config")
        guard identity.utf8.count == 32, identity.utf8.allSatisfy(\.isHexDigit) else {
            throw RepositoryError.damage("'id' is not 32 hexadecimal digits", in: "config")
        }
        return identity
    }

    /// Makes a repository; `config` comes last, so that a half-made one is none.
    ///
    /// - Returns: the new repository's id.
    package static func create(
        at place: any Place, password: [UInt8], parameters: ScryptParameters, world: World
    ) throws -> String {
        try place.prepare()
        let identity = world.randomness.bytes(16).hex
        let key = try KeyFile.wrap(
            RepositoryKeys.random(world.randomness), for: identity, password: password,
            parameters: parameters, clock: world.clock, randomness: world.randomness)
        try place.create(ObjectName(.keys, world.randomness.bytes(8).hex), key)
        let config = ControlFile(
            kind: "repository",
            fields: [("id", identity), ("created", "\(world.clock.now().seconds)")])
        try place.createConfig(config.encoded)
        return identity
    }
}
