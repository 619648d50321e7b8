import CZlib
import Testing

@testable import Codec

struct CompressionTests {
    static let sizes = [
        0, 1, 2, 3, 7, 15, 31, 32, 33, 100, 1000, 4095, 4096, 4097, 16_384, 20_000, 65_535, 65_536,
        65_537, 1 << 20, 2 << 20,
    ]

    @Test(arguments: CompressionLevel.allCases, Content.allCases)
    func whatWasCompressedComesBack(level: CompressionLevel, content: Content) throws {
        let (compressor, decompressor) = (Compressor(level: level), Decompressor())
        for size in CompressionTests.sizes {
            let plain = content.bytes(size)
            let (codec, stored) = compressor.compressed(plain)
            switch codec {
            case .stored: #expect(stored == plain, "\(size)")
            case .zlib:
                #expect(stored.count <= size - size / 32, "\(size)")
                let isBack = try decompressor.decompressed(stored, size: size) == plain
                let isZlib = ReferenceZlib.inflate(stored, size: size) == plain
                #expect(isBack && isZlib, "\(size)")
            }
        }
    }

    @Test(arguments: CompressionLevel.allCases)
    func compressingAppends(level: CompressionLevel) {
        let compressor = Compressor(level: level)
        for content in [Content.text, .noise] {
            var output: [UInt8] = [1, 2, 3]
            let plain = content.bytes(5000)
            let codec = plain.withUnsafeBytes { compressor.compress($0, into: &output) }
            #expect(output.prefix(3) == [1, 2, 3])
            #expect(codec == (content == .text ? .zlib : .stored))
            #expect(Array(output.dropFirst(3)) == compressor.compressed(plain).bytes)
        }
    }

    @Test(arguments: CompressionLevel.allCases)
    func whatDoesNotShrinkIsStored(level: CompressionLevel) {
        let compressor = Compressor(level: level)
        for size in CompressionTests.sizes {
            let plain = Content.noise.bytes(size)
            let isStored = compressor.compressed(plain) == (.stored, plain)
            #expect(isStored, "\(size)")
        }
    }

    @Test(arguments: CompressionLevel.allCases)
    func textCodeAndDatabasePagesAreNeverStored(level: CompressionLevel) {
        let compressor = Compressor(level: level)
        for content in [Content.text, .code, .database] {
            for size in [4096, 8192, 65_536, 1 << 20] {
                #expect(compressor.compressed(content.bytes(size)).codec == .zlib, "\(content)")
            }
        }
    }

    @Test func onlyNoiseOfSomeSizeIsHopeless() {
        // Bytes that cycle are all used alike, which the probe cannot tell from noise.
        for content in Content.allCases where content != .cycle {
            for size in [0, 1, 4095, 4096, 20_000, 1 << 20] {
                let isHopeless = content.bytes(size).withUnsafeBytes {
                    IncompressibilityProbe.isHopeless($0)
                }
                #expect(isHopeless == (content == .noise && size >= 4096), "\(content) \(size)")
            }
        }
    }

    @Test func aTenthOfTextAmongNoiseIsFound() {
        let compressor = Compressor(level: .fast)
        var bytes = Content.noise.bytes(1 << 20)
        for start in stride(from: 0, to: bytes.count - 40_000, by: 100_000) {
            bytes.replaceSubrange(start..<start + 40_000, with: Content.zero.bytes(40_000))
        }
        #expect(compressor.compressed(bytes).codec == .zlib)
    }

    @Test(arguments: CInt(0)...9)
    func streamsOfEveryLevelOfLibzAreRead(level: CInt) throws {
        let decompressor = Decompressor()
        for content in Content.allCases {
            for size in CompressionTests.sizes.filter({ $0 <= 65_537 }) {
                let plain = content.bytes(size)
                let stream = ReferenceZlib.deflate(plain, level: level)
                let isBack = try decompressor.decompressed(stream, size: size) == plain
                #expect(isBack, "\(content) \(size)")
            }
        }
    }

    @Test(arguments: CInt(9)...15)
    func streamsOfEveryWindowOfLibzAreRead(windowBits: CInt) throws {
        let decompressor = Decompressor()
        for strategy in [Z_DEFAULT_STRATEGY, Z_HUFFMAN_ONLY, Z_RLE, Z_FIXED, Z_FILTERED] {
            let plain = Content.mixed.bytes(50_000)
            let stream = ReferenceZlib.deflate(
                plain, level: 6, windowBits: windowBits, strategy: strategy)
            #expect(try decompressor.decompressed(stream, size: plain.count) == plain)
        }
    }

    @Test(arguments: CompressionLevel.allCases)
    func anotherOutputSizeIsRefused(level: CompressionLevel) {
        let (compressor, decompressor) = (Compressor(level: level), Decompressor())
        for size in [100, 1000, 4096, 65_536, 1 << 20] {
            let stream = compressor.compressed(Content.text.bytes(size)).bytes
            for wrong in [0, 1, size / 2, size - 1, size + 1, size * 2] {
                #expect(throws: FormatError.self, "\(size) as \(wrong)") {
                    try decompressor.decompressed(stream, size: wrong)
                }
            }
        }
    }

    @Test func bytesBehindAStreamAndMissingOnesAreRefused() {
        let (compressor, decompressor) = (Compressor(level: .fast), Decompressor())
        let stream = compressor.compressed(Content.text.bytes(1000)).bytes
        for added in [[0], [0, 0], [UInt8](repeating: 7, count: 9), stream] as [[UInt8]] {
            #expect(throws: FormatError.self) {
                try decompressor.decompressed(stream + added, size: 1000)
            }
        }
        for count in 0..<stream.count {
            #expect(throws: FormatError.self) {
                try decompressor.decompressed(Array(stream.prefix(count)), size: 1000)
            }
        }
    }
}

extension Compressor {
    /// The codec and what was appended.
    func compressed(_ plain: [UInt8]) -> (codec: BlobCodec, bytes: [UInt8]) {
        var output: [UInt8] = []
        let codec = plain.withUnsafeBytes { compress($0, into: &output) }
        return (codec, output)
    }

    /// The stream that leans on `dictionary`.
    func compressed(_ plain: [UInt8], dictionary: [UInt8]) -> [UInt8] {
        var output: [UInt8] = []
        let size = plain.withUnsafeBytes { plain in
            dictionary.withUnsafeBytes { compress(plain, dictionary: $0, into: &output) }
        }
        precondition(size == output.count)
        return output
    }
}

extension Decompressor {
    func decompressed(
        _ stream: [UInt8], dictionary: [UInt8]? = nil, size: Int
    ) throws -> [UInt8] {
        var plain = [UInt8](repeating: 0xAA, count: size)
        try plain.withUnsafeMutableBytes { plain in
            try stream.withUnsafeBytes { stream in
                guard let dictionary else { return try decompress(stream, into: plain) }
                try dictionary.withUnsafeBytes { dictionary in
                    try decompress(stream, dictionary: dictionary, into: plain)
                }
            }
        }
        return plain
    }
}
