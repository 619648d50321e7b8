import Codec
import Testing

struct PresetDictionaryTests {
    private static let sizes = [0, 1, 2, 3, 100, 4096, 16_384, 32_768]

    @Test(arguments: CompressionLevel.allCases)
    func whatLeansOnADictionaryComesBack(level: CompressionLevel) throws {
        let (compressor, decompressor) = (Compressor(level: level), Decompressor())
        for dictionarySize in PresetDictionaryTests.sizes {
            let dictionary = Content.database.bytes(dictionarySize)
            for size in [0, 1, 2, 3, 100, 4096, 16_384, 100_000] {
                let plain = Array(Content.database.bytes(size + 50).dropFirst(50))
                let stream = compressor.compressed(plain, dictionary: dictionary)
                let back = try decompressor.decompressed(stream, dictionary: dictionary, size: size)
                #expect(back == plain, "\(dictionarySize) \(size)")
                let reference = ReferenceZlib.inflate(stream, size: size, dictionary: dictionary)
                #expect(reference == plain, "\(dictionarySize) \(size)")
            }
        }
    }

    @Test(arguments: CInt(0)...9)
    func streamsOfLibzThatLeanOnADictionaryAreRead(level: CInt) throws {
        let decompressor = Decompressor()
        for content in Content.allCases {
            for dictionarySize in PresetDictionaryTests.sizes.dropFirst() {
                let dictionary = content.bytes(dictionarySize)
                let plain = content.bytes(20_000)
                let stream = ReferenceZlib.deflate(plain, level: level, dictionary: dictionary)
                let back = try decompressor.decompressed(
                    stream, dictionary: dictionary, size: plain.count)
                #expect(back == plain, "\(content) \(dictionarySize)")
            }
        }
    }

    @Test func onlyTheLast32KiBOfADictionaryCount() throws {
        let (compressor, decompressor) = (Compressor(level: .fast), Decompressor())
        let (long, plain) = (Content.text.bytes(50_000), Content.text.bytes(4096))
        let tail = Array(long.suffix(32_768))
        let stream = compressor.compressed(plain, dictionary: long)
        #expect(stream == compressor.compressed(plain, dictionary: tail))
        #expect(try decompressor.decompressed(stream, dictionary: long, size: 4096) == plain)
        #expect(try decompressor.decompressed(stream, dictionary: tail, size: 4096) == plain)
    }

    @Test(arguments: CompressionLevel.allCases)
    func aPageWithAHundredNewBytesIsAbout200Bytes(level: CompressionLevel) {
        let compressor = Compressor(level: level)
        var random = Seeded(3)
        let old = Content.database.bytes(4096)
        var new = old
        new.replaceSubrange(2000..<2100, with: random.bytes(100))
        let size = compressor.compressed(new, dictionary: old).count
        #expect((120...250).contains(size), "\(size)")
    }

    @Test func anotherDictionaryOrNoneIsRefused() {
        let (compressor, decompressor) = (Compressor(level: .fast), Decompressor())
        let (old, new) = (Content.database.bytes(4096), Content.database.bytes(4000))
        var other = old
        other[17] ^= 1
        let leaning = compressor.compressed(new, dictionary: old)
        let alone = compressor.compressed(new).bytes
        for (stream, dictionary) in [
            (leaning, other), (leaning, []), (leaning, nil), (alone, old), ([], old), ([0x78], old),
        ] as [([UInt8], [UInt8]?)] {
            #expect(throws: FormatError.self) {
                try decompressor.decompressed(stream, dictionary: dictionary, size: 4000)
            }
        }
    }

    @Test func bytesBehindALeaningStreamAndAnotherSizeAreRefused() {
        let (compressor, decompressor) = (Compressor(level: .fast), Decompressor())
        let old = Content.database.bytes(4096)
        let stream = compressor.compressed(Content.database.bytes(4000), dictionary: old)
        for added in 1...9 {
            #expect(throws: FormatError.self, "\(added)") {
                let longer = stream + [UInt8](repeating: 0, count: added)
                return try decompressor.decompressed(longer, dictionary: old, size: 4000)
            }
        }
        for count in 0..<stream.count {
            #expect(throws: FormatError.self, "\(count)") {
                let shorter = Array(stream.prefix(count))
                return try decompressor.decompressed(shorter, dictionary: old, size: 4000)
            }
        }
        for size in [0, 1, 3999, 4001, 8000] {
            #expect(throws: FormatError.self, "\(size)") {
                try decompressor.decompressed(stream, dictionary: old, size: size)
            }
        }
    }
}
