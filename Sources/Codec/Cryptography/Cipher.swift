import COpenSSL
import Glibc

/// AES-256-GCM (NIST SP 800-38D) under one key, for one thread.
///
/// A nonce is a number that is used once under a key: four zero bytes and the number,
/// little-endian. Context and key schedule are made once.
package final class Cipher {
    /// Bytes a sealed message has more than the plain one.
    package static let tagSize = 16
    /// Bytes of a key.
    package static let keySize = 32

    private let sealing: OpaquePointer
    private let opening: OpaquePointer

    /// - Parameter key: exactly 32 bytes.
    package init(key: [UInt8]) {
        precondition(key.count == Cipher.keySize)
        guard let sealing = EVP_CIPHER_CTX_new(), let opening = EVP_CIPHER_CTX_new() else {
            fatalError("libcrypto: out of memory")
        }
        (self.sealing, self.opening) = (sealing, opening)
        let algorithm = EVP_aes_256_gcm()
        demand(EVP_EncryptInit_ex(sealing, algorithm, nil, key, nil) == 1, "EVP_EncryptInit_ex")
        demand(EVP_DecryptInit_ex(opening, algorithm, nil, key, nil) == 1, "EVP_DecryptInit_ex")
    }

    deinit {
        EVP_CIPHER_CTX_free(sealing)
        EVP_CIPHER_CTX_free(opening)
    }

    /// Writes ciphertext and tag.
    ///
    /// - Parameters:
    ///   - nonce: never used before under this key.
    ///   - context: authenticated, not written.
    ///   - output: exactly ``tagSize`` bytes more than `plaintext`, which has less than 2 GiB; it
    ///     may begin where `plaintext` begins, but not overlap it otherwise.
    package func seal(
        _ plaintext: UnsafeRawBufferPointer, nonce: UInt64,
        authenticating context: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer
    ) {
        precondition(output.count == plaintext.count + Cipher.tagSize)
        let target = output.bindMemory(to: UInt8.self)
        withNonce(nonce) {
            demand(EVP_EncryptInit_ex(sealing, nil, nil, nil, $0) == 1, "EVP_EncryptInit_ex")
        }
        let ended =
            pass(context, nil, EVP_EncryptUpdate, sealing)
            && pass(plaintext, target.baseAddress, EVP_EncryptUpdate, sealing)
            && end(EVP_EncryptFinal_ex, sealing)
        demand(ended, "EVP_EncryptUpdate")
        let tag = target.baseAddress.map { $0 + plaintext.count }
        demand(
            EVP_CIPHER_CTX_ctrl(sealing, EVP_CTRL_AEAD_GET_TAG, CInt(Cipher.tagSize), tag) == 1,
            "EVP_CTRL_AEAD_GET_TAG")
    }

    /// Writes the plaintext of `sealed`, which is ciphertext and tag.
    ///
    /// Throws where key, nonce, context or bytes are not those that were sealed; `output`, exactly
    /// ``tagSize`` bytes less than `sealed`, is then zero.
    package func open(
        _ sealed: UnsafeRawBufferPointer, nonce: UInt64,
        authenticating context: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer
    ) throws(FormatError) {
        guard sealed.count >= Cipher.tagSize, sealed.count <= Int(CInt.max) else {
            throw FormatError("sealed bytes of an impossible length")
        }
        let size = sealed.count - Cipher.tagSize
        precondition(output.count == size)
        withNonce(nonce) {
            demand(EVP_DecryptInit_ex(opening, nil, nil, nil, $0) == 1, "EVP_DecryptInit_ex")
        }
        let ciphertext = UnsafeRawBufferPointer(rebasing: sealed[..<size])
        let target = output.bindMemory(to: UInt8.self).baseAddress
        let isAuthentic =
            pass(context, nil, EVP_DecryptUpdate, opening)
            && pass(ciphertext, target, EVP_DecryptUpdate, opening)
            && expect(tag: UnsafeRawBufferPointer(rebasing: sealed[size...]))
            && end(EVP_DecryptFinal_ex, opening)
        guard isAuthentic else {
            // Unauthenticated plaintext must not be mistaken for content.
            if let target { memset(target, 0, size) }
            throw FormatError("sealed bytes that were changed, or another key")
        }
    }

    private typealias Update = (
        OpaquePointer?, UnsafeMutablePointer<UInt8>?, UnsafeMutablePointer<CInt>?,
        UnsafePointer<UInt8>?, CInt
    ) -> CInt

    private func pass(
        _ input: UnsafeRawBufferPointer, _ output: UnsafeMutablePointer<UInt8>?,
        _ update: Update, _ cipher: OpaquePointer
    ) -> Bool {
        guard input.count > 0 else { return true }
        var written: CInt = 0
        let bytes = input.bindMemory(to: UInt8.self).baseAddress
        return update(cipher, output, &written, bytes, CInt(input.count)) == 1
    }

    private func end(
        _ finish: (OpaquePointer?, UnsafeMutablePointer<UInt8>?, UnsafeMutablePointer<CInt>?)
            -> CInt, _ cipher: OpaquePointer
    ) -> Bool {
        // GCM is a stream: the end writes nothing, but wants somewhere to write it.
        var nothing = (0 as UInt64, 0 as UInt64)
        var written: CInt = 0
        return withUnsafeMutableBytes(of: &nothing) {
            finish(cipher, $0.bindMemory(to: UInt8.self).baseAddress, &written) == 1
        }
    }

    private func expect(tag: UnsafeRawBufferPointer) -> Bool {
        // The control takes a mutable pointer for all its commands; this command reads only.
        let bytes = UnsafeMutableRawPointer(mutating: tag.baseAddress)
        return EVP_CIPHER_CTX_ctrl(opening, EVP_CTRL_AEAD_SET_TAG, CInt(tag.count), bytes) == 1
    }

    private func withNonce(_ number: UInt64, _ body: (UnsafePointer<UInt8>?) -> Void) {
        let words = (
            0 as UInt32, UInt32(truncatingIfNeeded: number).littleEndian,
            UInt32(truncatingIfNeeded: number >> 32).littleEndian
        )
        withUnsafeBytes(of: words) { body($0.bindMemory(to: UInt8.self).baseAddress) }
    }
}
