import COpenSSL

/// HMAC-SHA-256 (RFC 2104) under one key, for one thread.
///
/// The states after the two key blocks are made once and copied for each message, so that a
/// message costs its own hashing and one block more.
package final class KeyedHasher {
    private static let blockSize = 64

    private let inner: OpaquePointer
    private let outer: OpaquePointer
    private let work: OpaquePointer

    /// - Parameter key: of any length; 32 bytes are as strong as it gets.
    package init(key: [UInt8]) {
        let short = key.count > KeyedHasher.blockSize ? Hasher256.digest(key).bytes : key
        let block = short + Array(repeating: 0, count: KeyedHasher.blockSize - short.count)
        inner = KeyedHasher.state(after: block.map { $0 ^ 0x36 })
        outer = KeyedHasher.state(after: block.map { $0 ^ 0x5C })
        work = KeyedHasher.state(after: [])
    }

    deinit {
        EVP_MD_CTX_free(inner)
        EVP_MD_CTX_free(outer)
        EVP_MD_CTX_free(work)
    }

    /// The authentication code of one message.
    package func digest(_ bytes: UnsafeRawBufferPointer) -> Digest {
        let message = digest(after: inner, bytes)
        return message.withUnsafeBytes { digest(after: outer, $0) }
    }

    private func digest(after state: OpaquePointer, _ bytes: UnsafeRawBufferPointer) -> Digest {
        demand(EVP_MD_CTX_copy_ex(work, state) == 1, "EVP_MD_CTX_copy_ex")
        if bytes.count > 0 {
            demand(EVP_DigestUpdate(work, bytes.baseAddress, bytes.count) == 1, "EVP_DigestUpdate")
        }
        return finished(work)
    }

    private static func state(after block: [UInt8]) -> OpaquePointer {
        guard let context = EVP_MD_CTX_new() else { fatalError("libcrypto: out of memory") }
        demand(EVP_DigestInit_ex(context, EVP_sha256(), nil) == 1, "EVP_DigestInit_ex")
        demand(EVP_DigestUpdate(context, block, block.count) == 1, "EVP_DigestUpdate")
        return context
    }
}
