import COpenSSL

/// SHA-256 (FIPS 180-4) for one thread, which keeps one instance and hashes much with it.
///
/// Source: EVP_DigestInit_ex(3), whose context is set up once and reused.
package final class Hasher256 {
    private let context: OpaquePointer

    package init() {
        guard let context = EVP_MD_CTX_new() else { fatalError("libcrypto: out of memory") }
        self.context = context
        demand(EVP_DigestInit_ex(context, EVP_sha256(), nil) == 1, "EVP_DigestInit_ex")
    }

    deinit {
        EVP_MD_CTX_free(context)
    }

    /// Starts a message, dropping one that is not finished.
    package func begin() {
        demand(EVP_DigestInit_ex(context, nil, nil) == 1, "EVP_DigestInit_ex")
    }

    /// Adds to the message begun.
    package func update(_ bytes: UnsafeRawBufferPointer) {
        guard bytes.count > 0 else { return }
        demand(EVP_DigestUpdate(context, bytes.baseAddress, bytes.count) == 1, "EVP_DigestUpdate")
    }

    /// Ends the message begun; the next one needs ``begin()``.
    package func finish() -> Digest {
        finished(context)
    }

    /// The digest of one message.
    package func digest(_ bytes: UnsafeRawBufferPointer) -> Digest {
        begin()
        update(bytes)
        return finish()
    }

    /// The digest of one message in two parts.
    package func digest(
        _ first: UnsafeRawBufferPointer, _ second: UnsafeRawBufferPointer
    ) -> Digest {
        begin()
        update(first)
        update(second)
        return finish()
    }

    /// The digest of one message, where there is no instance to reuse.
    package static func digest(_ bytes: [UInt8]) -> Digest {
        bytes.withUnsafeBytes { SHA256.digest(of: $0) }
    }
}

/// SHA-256 of a message that comes in parts.
package struct SHA256: ~Copyable {
    private let hasher = Hasher256()

    package init() {}

    /// Adds to the message.
    package func update(_ bytes: UnsafeRawBufferPointer) {
        hasher.update(bytes)
    }

    /// Ends the message and starts the next one.
    package func finish() -> Digest {
        let digest = hasher.finish()
        hasher.begin()
        return digest
    }

    /// The digest of one message.
    package static func digest(of bytes: UnsafeRawBufferPointer) -> Digest {
        Hasher256().digest(bytes)
    }

    /// The digest of one message.
    package static func digest(of bytes: [UInt8]) -> Digest {
        Hasher256.digest(bytes)
    }
}

/// Takes a digest out of a context of SHA-256.
func finished(_ context: OpaquePointer) -> Digest {
    var words = (0 as UInt64, 0 as UInt64, 0 as UInt64, 0 as UInt64)
    return withUnsafeMutableBytes(of: &words) { bytes in
        let output = bytes.bindMemory(to: UInt8.self).baseAddress
        demand(EVP_DigestFinal_ex(context, output, nil) == 1, "EVP_DigestFinal_ex")
        return Digest(bytes: UnsafeRawBufferPointer(bytes))
    }
}
