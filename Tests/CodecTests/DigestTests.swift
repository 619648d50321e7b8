import Codec
import Testing

struct DigestTests {
    private let counting = Array(UInt8(0)..<32)

    private func digest(_ bytes: [UInt8]) -> Digest {
        bytes.withUnsafeBytes { Digest(bytes: $0) }
    }

    @Test func bytesComeBackAsBytesAndAsText() {
        let digest = digest(counting)
        #expect(digest.withUnsafeBytes { Array($0) } == counting)
        #expect(digest.bytes == counting)
        #expect(digest.hex == "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f")
        #expect(Digest(hex: digest.hex) == digest)
        #expect("\(digest)" == digest.hex)
        var copy = [UInt8](repeating: 0xFF, count: 33)
        copy.withUnsafeMutableBytes { digest.write(into: $0) }
        #expect(copy == counting + [0xFF])
        #expect(Digest.zero.bytes == [UInt8](repeating: 0, count: 32))
    }

    @Test func writerAndReaderAgree() throws {
        var writer = ByteWriter()
        writer.write(digest: digest(counting))
        #expect(writer.bytes == counting)
        var reader = ByteReader(writer.bytes)
        #expect(try reader.digest() == digest(counting))
    }

    @Test func theOrderIsThatOfTheBytes() {
        for place in 0..<32 {
            var (less, more) = (counting, counting)
            (less[place], more[place]) = (1, 0x80)
            for later in place + 1..<32 { less[later] = 0xFF }
            #expect(digest(less) < digest(more))
            #expect(!(digest(more) < digest(less)))
            #expect(digest(less) != digest(more))
        }
        #expect(!(digest(counting) < digest(counting)))
    }

    @Test(arguments: [
        "", "00", String(repeating: "0", count: 63), String(repeating: "0", count: 65),
        String(repeating: "A", count: 64), String(repeating: "g", count: 64),
        String(repeating: "é", count: 32), "0x" + String(repeating: "0", count: 62),
    ])
    func textThatIsNoDigestIsRefused(text: String) {
        #expect(Digest(hex: text) == nil)
    }
}
