package import Codec
package import Platform

/// The secrets of a repository, all random, all wrapped by each password's key file.
package struct RepositoryKeys: Sendable {
    package static let size = 96

    private let identification: [UInt8]
    private let encryption: [UInt8]
    private let chunking: [UInt8]

    /// The keys as a key file wraps them, ``size`` bytes.
    package init(_ bytes: [UInt8]) {
        precondition(bytes.count == RepositoryKeys.size)
        identification = Array(bytes[0..<32])
        encryption = Array(bytes[32..<64])
        chunking = Array(bytes[64..<96])
    }

    package static func random(_ randomness: any Randomness) -> RepositoryKeys {
        RepositoryKeys(randomness.bytes(size))
    }

    var bytes: [UInt8] { identification + encryption + chunking }

    /// What makes blob ids.
    package func blobHasher() -> KeyedHasher { KeyedHasher(key: identification) }

    /// What cuts files into chunks.
    package func chunker() -> Chunker { Chunker(key: chunking) }

    /// What seals the blobs of the pack with this salt.
    package func packCipher(salt: [UInt8]) -> Cipher {
        Cipher(key: subkey(of: encryption, label: "pack", salt: salt))
    }
}
