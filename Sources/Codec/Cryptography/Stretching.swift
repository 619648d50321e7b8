import COpenSSL

/// What stretching a password costs: memory 128 · 2^logN · r bytes, time p times that.
package struct ScryptParameters: Hashable, Sendable {
    /// Binary logarithm of the cost, 1 to 20.
    package let logN: Int
    /// Block size in units of 128 bytes, 1 to 16.
    package let r: Int
    /// Times it is done, 1 to 4.
    package let p: Int

    package init(logN: Int, r: Int, p: Int) {
        (self.logN, self.r, self.p) = (logN, r, p)
    }

    /// What new keys use: 32 MiB, about a tenth of a second.
    package static let standard = ScryptParameters(logN: 15, r: 8, p: 1)

    var isBounded: Bool {
        (1...20).contains(logN) && (1...16).contains(r) && (1...4).contains(p)
            // RFC 7914 section 2: N < 2^(128 * r / 8).
            && logN < 16 * r
    }
}

/// The key of 32 bytes behind a password (scrypt, RFC 7914).
///
/// Throws where parameters are out of range, before anything is allocated, and where the memory
/// they ask for is not there.
package func stretch(
    password: [UInt8], salt: [UInt8], parameters: ScryptParameters
) throws(FormatError) -> [UInt8] {
    guard parameters.isBounded else { throw FormatError("scrypt parameters out of range") }
    let cost = UInt64(1) << UInt64(parameters.logN)
    let (r, p) = (UInt64(parameters.r), UInt64(parameters.p))
    let memory = 128 * r * (cost + p + 2)
    var key = [UInt8](repeating: 0, count: 32)
    // Swift's characters are libcrypto's bytes of either sign.
    let result = password.withUnsafeBytes { password in
        EVP_PBE_scrypt(
            password.bindMemory(to: CChar.self).baseAddress, password.count, salt, salt.count,
            cost, r, p, memory, &key, key.count)
    }
    guard result == 1 else { throw FormatError("no memory to stretch a password") }
    return key
}
