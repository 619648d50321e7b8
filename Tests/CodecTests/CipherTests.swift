import Codec
import Testing

struct CipherTests {
    private let key = Array(UInt8(0)..<32)

    /// Test cases 13 and 14 of the GCM specification (McGrew, Viega), and one with context and a
    /// nonce that tells its byte order, made by OpenSSL's own interface.
    @Test func sealingIsAsPublished() {
        let zero = Cipher(key: [UInt8](repeating: 0, count: 32))
        #expect(zero.sealed([], nonce: 0).hex == "530f8afbc74536b9a963b4f1c4cb738b")
        #expect(
            zero.sealed([UInt8](repeating: 0, count: 16), nonce: 0).hex
                == "cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919")
        let sealed = Cipher(key: key).sealed(
            Array("Holdfast".utf8), nonce: 0x0102_0304_0506_0708, context: Array("header".utf8))
        #expect(sealed.hex == "54979321044ebb3a64a543b466b7d1b3b913cbcae30d5003")
    }

    @Test func whatWasSealedOpensInAnyOrder() throws {
        let cipher = Cipher(key: key)
        let plains = [0, 1, 15, 16, 17, 4096, 100_000].map { Content.noise.bytes($0) }
        let sealed = plains.enumerated().map {
            cipher.sealed($1, nonce: UInt64($0), context: [UInt8($0)])
        }
        for index in plains.indices.reversed() {
            let plain = try cipher.opened(
                sealed[index], nonce: UInt64(index), context: [UInt8(index)])
            #expect(plain == plains[index])
        }
    }

    @Test func everyPartIsAuthenticated() throws {
        let cipher = Cipher(key: key)
        let (plain, context) = (Array("twenty-one plain byte".utf8), Array("header".utf8))
        let sealed = cipher.sealed(plain, nonce: 5, context: context)
        for bit in 0..<sealed.count * 8 {
            var changed = sealed
            changed[bit / 8] ^= 1 << UInt8(bit % 8)
            #expect(throws: FormatError.self) {
                try cipher.opened(changed, nonce: 5, context: context)
            }
        }
        for bit in 0..<context.count * 8 {
            var changed = context
            changed[bit / 8] ^= 1 << UInt8(bit % 8)
            #expect(throws: FormatError.self) {
                try cipher.opened(sealed, nonce: 5, context: changed)
            }
        }
        for bit in 0..<64 as Range<UInt64> {
            #expect(throws: FormatError.self) {
                try cipher.opened(sealed, nonce: 5 ^ (1 << bit), context: context)
            }
        }
        for wrong in [[], Array(context.dropLast()), context + [0]] {
            #expect(throws: FormatError.self) {
                try cipher.opened(sealed, nonce: 5, context: wrong)
            }
        }
        var otherKey = key
        otherKey[31] ^= 1
        #expect(throws: FormatError.self) {
            try Cipher(key: otherKey).opened(sealed, nonce: 5, context: context)
        }
        #expect(try cipher.opened(sealed, nonce: 5, context: context) == plain)
    }

    @Test func sealedBytesCutShortAreRefused() {
        let cipher = Cipher(key: key)
        let sealed = cipher.sealed(Array("plain".utf8), nonce: 1)
        for count in 0..<sealed.count {
            #expect(throws: FormatError.self) {
                try cipher.opened(Array(sealed.prefix(count)), nonce: 1)
            }
        }
    }

    @Test func nothingUnauthenticatedIsLeftInTheOutput() {
        let cipher = Cipher(key: key)
        var sealed = cipher.sealed(Content.text.bytes(1000), nonce: 1)
        sealed[1010] ^= 1
        var output = [UInt8](repeating: 0xAA, count: 1000)
        #expect(throws: FormatError.self) {
            try output.withUnsafeMutableBytes { output in
                try sealed.withUnsafeBytes {
                    try cipher.open(
                        $0, nonce: 1, authenticating: UnsafeRawBufferPointer(start: nil, count: 0),
                        into: output)
                }
            }
        }
        #expect(output == [UInt8](repeating: 0, count: 1000))
    }
}

extension Cipher {
    fileprivate func sealed(_ plain: [UInt8], nonce: UInt64, context: [UInt8] = []) -> [UInt8] {
        var output = [UInt8](repeating: 0, count: plain.count + Cipher.tagSize)
        output.withUnsafeMutableBytes { output in
            plain.withUnsafeBytes { plain in
                context.withUnsafeBytes {
                    seal(plain, nonce: nonce, authenticating: $0, into: output)
                }
            }
        }
        return output
    }

    fileprivate func opened(
        _ sealed: [UInt8], nonce: UInt64, context: [UInt8] = []
    ) throws -> [UInt8] {
        var output = [UInt8](repeating: 0, count: max(0, sealed.count - Cipher.tagSize))
        try output.withUnsafeMutableBytes { output in
            try sealed.withUnsafeBytes { sealed in
                try context.withUnsafeBytes {
                    try open(sealed, nonce: nonce, authenticating: $0, into: output)
                }
            }
        }
        return output
    }
}
