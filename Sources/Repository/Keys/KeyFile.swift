package import Codec
package import Platform

/// One password's way into a repository: its keys, wrapped by the stretched password.
package enum KeyFile {
    static let saltSize = 32

    /// The bytes of a key file for `password`.
    package static func wrap(
        _ keys: RepositoryKeys, for repository: String, password: [UInt8],
        parameters: ScryptParameters, clock: any Clock, randomness: any Randomness
    ) throws -> [UInt8] {
        let salt = randomness.bytes(saltSize)
        let fields = [
            (name: "repository", value: repository),
            (name: "created", value: "\(clock.now().seconds)"),
            (name: "scrypt", value: "\(parameters.logN) \(parameters.r) \(parameters.p)"),
            (name: "salt", value: salt.hex),
        ]
        let cipher = Cipher(
            key: try stretch(password: password, salt: salt, parameters: parameters))
        let context = ControlFile(kind: "key", fields: fields).encoded
        let sealed = cipher.sealed(keys.bytes, authenticating: context)
        return ControlFile(kind: "key", fields: fields + [(name: "wrapped", value: sealed.hex)])
            .encoded
    }

    /// The keys in a key file, or nil where the password is another one.
    package static func unwrap(
        _ bytes: [UInt8], for repository: String, password: [UInt8], location: String
    ) throws -> RepositoryKeys? {
        let file = try ControlFile(bytes, kind: "key", location: location)
        guard try file.value("repository", in: location) == repository else {
            throw RepositoryError.damage("the key belongs to another repository", in: location)
        }
        let numbers = try file.value("scrypt", in: location).split(separator: " ").map { Int($0) }
        guard numbers.count == 3, let logN = numbers[0], let r = numbers[1], let p = numbers[2]
        else {
            throw RepositoryError.damage("scrypt parameters are not numbers", in: location)
        }
        let salt = try file.bytes("salt", count: saltSize, in: location)
        let sealed = try file.bytes(
            "wrapped", count: RepositoryKeys.size + Cipher.tagSize, in: location)
        let stretched: [UInt8]
        do {
            stretched = try stretch(
                password: password, salt: salt,
                parameters: ScryptParameters(logN: logN, r: r, p: p))
        } catch {
            throw RepositoryError.damage("\(error)", in: location)
        }
        let context = ControlFile(kind: "key", fields: Array(file.fields.dropLast())).encoded
        return Cipher(key: stretched).opened(sealed, authenticating: context).map(
            RepositoryKeys.init)
    }
}

extension Cipher {
    /// Seals the only message this key is ever used for.
    fileprivate func sealed(_ plain: [UInt8], authenticating context: [UInt8]) -> [UInt8] {
        var output = [UInt8](repeating: 0, count: plain.count + Cipher.tagSize)
        output.withUnsafeMutableBytes { output in
            plain.withUnsafeBytes { plain in
                context.withUnsafeBytes {
                    seal(plain, nonce: 0, authenticating: $0, into: output)
                }
            }
        }
        return output
    }

    /// The plain bytes, or nil where key or bytes are not the ones that were sealed.
    fileprivate func opened(_ sealed: [UInt8], authenticating context: [UInt8]) -> [UInt8]? {
        var output = [UInt8](repeating: 0, count: sealed.count - Cipher.tagSize)
        do {
            try output.withUnsafeMutableBytes { output in
                try sealed.withUnsafeBytes { sealed in
                    try context.withUnsafeBytes {
                        try open(sealed, nonce: 0, authenticating: $0, into: output)
                    }
                }
            }
        } catch {
            return nil
        }
        return output
    }
}
