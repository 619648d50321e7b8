import Codec
import Testing

/// Input and output end at a page that must not be touched, so that reading or writing one byte
/// too many ends the process.
struct HostileInputTests {
    private static let seed: UInt64 = 0x686F_6C64_6661_7374
    private static let rounds = 40_000

    private static func streams(_ dictionary: [UInt8]) -> [(plain: [UInt8], stream: [UInt8])] {
        Content.allCases.flatMap { content in
            [40, 300, 700].flatMap { size in
                let plain = content.bytes(size)
                return [0, 1, 6].map {
                    (plain, ReferenceZlib.deflate(plain, level: $0, dictionary: dictionary))
                } + fast(plain, dictionary)
            }
        }
    }

    private static func fast(
        _ plain: [UInt8], _ dictionary: [UInt8]
    ) -> [(plain: [UInt8], stream: [UInt8])] {
        guard dictionary.isEmpty else { return [] }
        let (codec, stream) = Compressor(level: .fast).compressed(plain)
        return codec == .zlib ? [(plain, stream)] : []
    }

    @Test(arguments: [[], Content.text.bytes(500)])
    func aMutatedStreamIsRefusedOrReadRight(dictionary: [UInt8]) {
        var random = Seeded(HostileInputTests.seed)
        let decompressor = Decompressor()
        let source = GuardedMemory(capacity: 4096)
        let target = GuardedMemory(capacity: 4096)
        let lean = GuardedMemory(capacity: 4096)
        let streams = HostileInputTests.streams(dictionary)
        var refused = 0
        for round in 0..<HostileInputTests.rounds {
            let (plain, stream) = streams[round % streams.count]
            var mutated = stream
            mutated.mutate(with: &random)
            let (input, output) = (source.holding(mutated), target.last(plain.count))
            do {
                if dictionary.isEmpty {
                    try decompressor.decompress(input, into: output)
                } else {
                    let dictionary = lean.holding(dictionary)
                    try decompressor.decompress(input, dictionary: dictionary, into: output)
                }
                // Adler-32 misses a change in a million; libz must then read the same.
                let isRight =
                    output.elementsEqual(plain)
                    || ReferenceZlib.inflate(mutated, size: plain.count, dictionary: dictionary)
                        == Array(output)
                #expect(isRight, "round \(round)")
            } catch {
                refused += 1
            }
        }
        #expect(refused > HostileInputTests.rounds * 9 / 10)
    }

    @Test func aStreamWhoseChecksumWasMendedStaysWithinItsOutput() {
        // Adler-32 is no protection against intent, so that what it lets through must be safe too.
        var random = Seeded(HostileInputTests.seed)
        let decompressor = Decompressor()
        let source = GuardedMemory(capacity: 4096)
        let target = GuardedMemory(capacity: 4096)
        for round in 0..<HostileInputTests.rounds / 4 {
            var stream: [UInt8] = [0x78, 0x9C] + random.bytes(Int(random.next() % 200))
            if stream.count > 2 { stream[2] = stream[2] & 0xF8 | [1, 3, 5, 4][round % 4] }
            let output = target.last(Int(random.next() % 2000))
            _ = try? decompressor.decompress(source.holding(stream), into: output)
        }
    }

    @Test func mutatedFieldsAreRefusedOrEncodeAgainAsTheyWere() {
        var random = Seeded(HostileInputTests.seed)
        for round in 0..<HostileInputTests.rounds / 2 {
            var bytes = Fields(random: &random).encoded
            let isMutated = round % 10 > 0
            if isMutated { bytes.mutate(with: &random) }
            do {
                #expect(try Fields(bytes).encoded == bytes, "round \(round)")
            } catch {
                #expect(isMutated, "round \(round): \(error)")
            }
        }
    }
}

/// A record with a field of every kind.
private struct Fields {
    var byte: UInt8
    var short: UInt16
    var word: UInt32
    var long: UInt64
    var number: UInt64
    var signed: Int64
    var digest: Digest
    var text: [UInt8]
    var list: [UInt64]

    init(random: inout Seeded) {
        let word = random.next()
        byte = UInt8(truncatingIfNeeded: word)
        short = UInt16(truncatingIfNeeded: word)
        self.word = UInt32(truncatingIfNeeded: word)
        long = word
        number = random.next() >> (word % 64)
        signed = Int64(bitPattern: random.next()) >> Int64(word % 64)
        digest = Hasher256.digest([byte])
        text = random.bytes(Int(word % 20))
        list = (0..<word % 5).map { UInt64(1) << $0 }
    }

    init(_ bytes: [UInt8]) throws(FormatError) {
        var reader = ByteReader(bytes)
        byte = try reader.u8()
        short = try reader.u16()
        word = try reader.u32()
        long = try reader.u64()
        number = try reader.varint()
        signed = try reader.signedVarint()
        digest = try reader.digest()
        text = try reader.counted(limit: 20)
        list = []
        for _ in 0..<(try reader.count(limit: 5, elementSize: 1)) {
            list.append(try reader.varint())
        }
        try reader.finish()
    }

    var encoded: [UInt8] {
        var writer = ByteWriter()
        writer.write(u8: byte)
        writer.write(u16: short)
        writer.write(u32: word)
        writer.write(u64: long)
        writer.write(varint: number)
        writer.write(signedVarint: signed)
        writer.write(digest: digest)
        writer.write(counted: text)
        writer.write(varint: UInt64(list.count))
        for element in list { writer.write(varint: element) }
        return writer.bytes
    }
}
