import Testing

@testable import Codec

struct CryptographyTests {
    private func bytes(_ hex: String) -> [UInt8] { Hex.decode(hex) ?? [] }

    @Test(arguments: [
        ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        (
            "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
        ),
        (
            String(repeating: "a", count: 1_000_000),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"
        ),
    ])
    func sha256HashesAsPublished(text: String, hex: String) {
        let message = Array(text.utf8)
        #expect(SHA256.digest(of: message).hex == hex)
        #expect(Hasher256.digest(message).hex == hex)
        let hasher = Hasher256()
        message.withUnsafeBytes { message in
            #expect(SHA256.digest(of: message).hex == hex)
            for _ in 0..<2 { #expect(hasher.digest(message).hex == hex) }
            for cut in Set([0, 1, message.count / 2, message.count]) where cut <= message.count {
                let first = UnsafeRawBufferPointer(rebasing: message[..<cut])
                let second = UnsafeRawBufferPointer(rebasing: message[cut...])
                #expect(hasher.digest(first, second).hex == hex)
            }
        }
    }

    @Test func sha256TakesPartsAndStartsAgain() {
        let parts = SHA256()
        let hasher = Hasher256()
        for _ in 0..<2 {
            hasher.begin()
            for byte in Array("abc".utf8) {
                withUnsafeBytes(of: byte) { parts.update($0) }
                withUnsafeBytes(of: byte) { hasher.update($0) }
            }
            let expected = SHA256.digest(of: Array("abc".utf8))
            #expect(parts.finish() == expected)
            #expect(hasher.finish() == expected)
        }
        hasher.update(UnsafeRawBufferPointer(start: nil, count: 0))
        hasher.begin()
        #expect(hasher.finish() == SHA256.digest(of: []))
    }

    /// RFC 4231 section 4; case 5 is truncated there.
    @Test(
        arguments: [
            (
                [UInt8](repeating: 0x0B, count: 20), Array("Hi There".utf8),
                "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
            ),
            (
                Array("Jefe".utf8), Array("what do ya want for nothing?".utf8),
                "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
            ),
            (
                [UInt8](repeating: 0xAA, count: 20), [UInt8](repeating: 0xDD, count: 50),
                "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"
            ),
            (
                Array(1...25), [UInt8](repeating: 0xCD, count: 50),
                "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"
            ),
            (
                [UInt8](repeating: 0x0C, count: 20), Array("Test With Truncation".utf8),
                "a3b6167473100ee06e0c796c2955552b"
            ),
            (
                [UInt8](repeating: 0xAA, count: 131),
                Array("Test Using Larger Than Block-Size Key - Hash Key First".utf8),
                "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"
            ),
            (
                [UInt8](repeating: 0xAA, count: 131),
                Array(
                    """
                    This is a test using a larger than block-size key and a larger than block-size \
                    data. The key needs to be hashed before being used by the HMAC algorithm.
                    """.utf8),
                "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2"
            ),
        ] as [([UInt8], [UInt8], String)])
    func keyedHashesAreThoseOfRFC4231(key: [UInt8], message: [UInt8], hex: String) {
        let hasher = KeyedHasher(key: key)
        for _ in 0..<2 {
            let digest = message.withUnsafeBytes { hasher.digest($0) }
            #expect(digest.hex.hasPrefix(hex))
        }
    }

    /// RFC 5869 appendix A, whose outputs are longer than the 32 bytes a subkey has.
    @Test(
        arguments: [
            (
                [UInt8](repeating: 0x0B, count: 22), Array(0...0x0C), Array(0xF0...0xF9),
                "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf"
            ),
            (
                Array(0...0x4F), Array(0x60...0xAF), Array(0xB0...0xFF),
                "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c"
            ),
            (
                [UInt8](repeating: 0x0B, count: 22), [], [],
                "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d"
            ),
        ] as [([UInt8], [UInt8], [UInt8], String)])
    func subkeysAreThoseOfRFC5869(key: [UInt8], salt: [UInt8], info: [UInt8], hex: String) {
        #expect(subkey(of: key, info: info, salt: salt).hex == hex)
    }

    @Test func labelAndSaltMakeAnotherSubkey() {
        let key = [UInt8](repeating: 1, count: 32)
        let first = subkey(of: key, label: "pack", salt: [1])
        #expect(first.count == 32)
        #expect(first == subkey(of: key, info: Array("pack".utf8), salt: [1]))
        #expect(first != subkey(of: key, label: "lease", salt: [1]))
        #expect(first != subkey(of: key, label: "pack", salt: [2]))
    }

    /// RFC 7914 section 12, whose outputs are longer.
    @Test(arguments: [
        ("", "", 4, 1, "77d6576238657b203b19ca42c18a0497f16b4844e3074ae8dfdffa3fede21442"),
        (
            "pleaseletmein", "SodiumChloride", 14, 8,
            "7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2"
        ),
    ])
    func stretchingIsThatOfRFC7914(
        password: String, salt: String, logN: Int, r: Int, hex: String
    ) throws {
        let key = try stretch(
            password: Array(password.utf8), salt: Array(salt.utf8),
            parameters: ScryptParameters(logN: logN, r: r, p: 1))
        #expect(key.hex == hex)
    }

    @Test(arguments: [
        (0, 8, 1), (21, 8, 1), (-1, 8, 1), (64, 8, 1), (14, 0, 1), (14, 17, 1), (14, 8, 0),
        (14, 8, 5), (16, 1, 1), (Int.max, .max, .max), (Int.min, .min, .min),
    ])
    func stretchingRefusesParametersOutOfRange(logN: Int, r: Int, p: Int) {
        #expect(throws: FormatError.self) {
            try stretch(
                password: [], salt: [], parameters: ScryptParameters(logN: logN, r: r, p: p))
        }
    }
}
