import Codec
import Testing

struct BytesTests {
    @Test func numbersAreLittleEndianAndBytesCounted() throws {
        var writer = ByteWriter(capacity: 64)
        writer.write(u8: 0x01)
        writer.write(u16: 0x0203)
        writer.write(u32: 0x0405_0607)
        writer.write(u64: 0x0809_0A0B_0C0D_0E0F)
        writer.write(bytes: [0xAA, 0xBB])
        writer.write(bytes: ([1, 2, 3] as [UInt8])[1...])
        writer.write(counted: [0xCC])
        let expected: [UInt8] = [
            1, 3, 2, 7, 6, 5, 4, 15, 14, 13, 12, 11, 10, 9, 8, 0xAA, 0xBB, 2, 3, 1, 0xCC,
        ]
        #expect(writer.bytes == expected)
        var reader = ByteReader(writer.bytes)
        #expect(try reader.u8() == 0x01)
        #expect(try reader.u16() == 0x0203)
        #expect(try reader.u32() == 0x0405_0607)
        #expect(try reader.u64() == 0x0809_0A0B_0C0D_0E0F)
        #expect(try reader.bytes(4) == [0xAA, 0xBB, 2, 3])
        #expect(try reader.counted(limit: 1) == [0xCC])
        #expect(reader.remaining == 0)
        try reader.finish()
    }

    @Test(
        arguments: [
            (0, [0]), (1, [1]), (127, [0x7F]), (128, [0x80, 1]), (16_383, [0xFF, 0x7F]),
            (16_384, [0x80, 0x80, 1]),
            (.max, [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 1]),
        ] as [(UInt64, [UInt8])])
    func aVarintIsSevenBitsAByte(value: UInt64, bytes: [UInt8]) throws {
        var writer = ByteWriter()
        writer.write(varint: value)
        #expect(writer.bytes == bytes)
        var reader = ByteReader(bytes)
        #expect(try reader.varint() == value)
        try reader.finish()
    }

    @Test func everyLengthOfVarintComesBack() throws {
        for shift in 0..<64 as Range<UInt64> {
            for value in [1 << shift, (1 << shift) - 1, ~0 >> shift] as [UInt64] {
                var writer = ByteWriter()
                writer.write(varint: value)
                writer.write(signedVarint: Int64(bitPattern: value))
                writer.write(signedVarint: 0 &- Int64(bitPattern: value))
                var reader = ByteReader(writer.bytes)
                #expect(try reader.varint() == value)
                #expect(try reader.signedVarint() == Int64(bitPattern: value))
                #expect(try reader.signedVarint() == 0 &- Int64(bitPattern: value))
                try reader.finish()
            }
        }
    }

    @Test func smallMagnitudesAreOneByte() {
        for (value, byte) in [(0, 0), (-1, 1), (1, 2), (-64, 127)] as [(Int64, UInt8)] {
            var writer = ByteWriter()
            writer.write(signedVarint: value)
            #expect(writer.bytes == [byte])
        }
    }

    @Test(
        arguments: [
            [], [0x80], [0x80, 0], [0xFF, 0x80, 0], [UInt8](repeating: 0x80, count: 10) + [1],
            [UInt8](repeating: 0xFF, count: 9) + [2], [UInt8](repeating: 0xFF, count: 9) + [0x7F],
            [UInt8](repeating: 0x80, count: 9) + [0], [UInt8](repeating: 0xFF, count: 20),
        ] as [[UInt8]])
    func aVarintInAnotherFormIsRefused(bytes: [UInt8]) {
        var reader = ByteReader(bytes)
        #expect(throws: FormatError.self) { try reader.varint() }
    }

    @Test func aCountMustFitItsLimitAndWhatIsLeft() throws {
        var writer = ByteWriter()
        writer.write(varint: 3)
        writer.write(bytes: [1, 2, 3, 4, 5, 6])
        let bytes = writer.bytes
        func count(_ limit: Int, _ size: Int) throws(FormatError) -> Int {
            var reader = ByteReader(bytes)
            return try reader.count(limit: limit, elementSize: size)
        }
        #expect(try count(3, 1) == 3)
        #expect(try count(3, 2) == 3)
        #expect(throws: FormatError.self) { try count(2, 1) }
        #expect(throws: FormatError.self) { try count(3, 3) }
    }

    @Test func aHugeCountIsRefusedBeforeAnythingIsAllocated() {
        for value in [UInt64.max, UInt64(Int.max), 1 << 40] {
            var writer = ByteWriter()
            writer.write(varint: value)
            var reader = ByteReader(writer.bytes)
            #expect(throws: FormatError.self) { try reader.counted(limit: .max) }
            reader = ByteReader(writer.bytes)
            #expect(throws: FormatError.self) { try reader.count(limit: .max, elementSize: 8) }
        }
    }

    @Test func readingBeyondTheEndIsRefused() {
        var reader = ByteReader([1, 2, 3])
        #expect(throws: FormatError.self) { try reader.u32() }
        #expect(throws: FormatError.self) { try reader.u64() }
        #expect(throws: FormatError.self) { try reader.digest() }
        #expect(throws: FormatError.self) { try reader.bytes(4) }
        #expect(throws: FormatError.self) { try reader.bytes(-1) }
        #expect(throws: FormatError.self) { try reader.finish() }
        #expect(reader.remaining == 3)
    }

    @Test func aSliceIsReadFromItsOwnStartToItsOwnEnd() throws {
        let bytes: [UInt8] = [9, 9, 1, 2, 3, 9]
        var reader = ByteReader(bytes[2..<5])
        #expect(reader.remaining == 3)
        #expect(try reader.u8() == 1)
        #expect(try reader.u16() == 0x0302)
        try reader.finish()
        #expect(throws: FormatError.self) { try reader.u8() }
    }
}
