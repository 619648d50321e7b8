/// A key of 32 bytes for one purpose: HKDF-SHA-256 (RFC 5869) with `label` as info.
///
/// - Parameters:
///   - key: secret, of 32 random bytes or more.
///   - label: the purpose.
///   - salt: public; makes another key each time.
package func subkey(of key: [UInt8], label: String, salt: [UInt8]) -> [UInt8] {
    subkey(of: key, info: Array(label.utf8), salt: salt)
}

func subkey(of key: [UInt8], info: [UInt8], salt: [UInt8]) -> [UInt8] {
    let extracted = code(of: key, under: salt)
    // One block of HMAC-SHA-256 is the whole output, so that expanding is one step.
    return code(of: info + [1], under: extracted)
}

private func code(of message: [UInt8], under key: [UInt8]) -> [UInt8] {
    message.withUnsafeBytes { KeyedHasher(key: key).digest($0).bytes }
}
