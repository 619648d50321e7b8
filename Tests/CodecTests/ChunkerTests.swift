import Codec
import Testing

struct ChunkerTests {
    private static let content: [UInt8] = {
        var random = Seeded(11)
        return random.bytes(24 << 20)
    }()

    private let chunker = Chunker(key: Array("a key".utf8))

    /// The chunks of `bytes`, each given all that follows.
    private func lengths(_ bytes: some Collection<UInt8>, by chunker: Chunker) -> [Int] {
        let whole: [Int]? = bytes.withContiguousStorageIfAvailable { bytes in
            var rest = UnsafeRawBufferPointer(bytes)
            var lengths: [Int] = []
            while !rest.isEmpty {
                let length = chunker.boundary(in: rest)
                lengths.append(length)
                rest = UnsafeRawBufferPointer(rebasing: rest[length...])
            }
            return lengths
        }
        return whole ?? []
    }

    private func ends(_ lengths: [Int]) -> [Int] {
        lengths.reduce(into: []) { $0.append(($0.last ?? 0) + $1) }
    }

    @Test func cutsAreTheSameInEveryVersion() {
        let cuts = lengths(ChunkerTests.content.prefix(6 << 20), by: chunker)
        #expect(cuts == [1_234_296, 1_107_990, 1_275_414, 1_065_696, 1_150_099, 457_961])
    }

    @Test func chunksKeepMinimumMaximumAndAverage() {
        let lengths = lengths(ChunkerTests.content, by: chunker)
        #expect(lengths.reduce(0, +) == ChunkerTests.content.count)
        for length in lengths.dropLast() {
            #expect((Chunker.minimumSize...Chunker.maximumSize).contains(length))
        }
        let average = ChunkerTests.content.count / lengths.count
        #expect((Chunker.averageSize * 3 / 4...Chunker.averageSize * 4 / 3).contains(average))
    }

    @Test func equalKeysCutEquallyAndOthersElsewhere() {
        let content = ChunkerTests.content.prefix(8 << 20)
        let first = ends(lengths(content, by: chunker))
        #expect(first == ends(lengths(content, by: Chunker(key: Array("a key".utf8)))))
        let other = ends(lengths(content, by: Chunker(key: Array("b key".utf8))))
        #expect(Set(first).intersection(other) == [content.count])
    }

    @Test func aByteInsertedAtTheFrontChangesFewChunks() {
        let content = ChunkerTests.content
        let before = ends(lengths(content, by: chunker))
        let after = ends(lengths([0x5A] + content, by: chunker))
        let common = Set(before).intersection(after.map { $0 - 1 })
        #expect(common.count >= before.count - 3, "\(common.count) of \(before.count)")
    }

    @Test func aCutDependsOnNoByteBehindIt() {
        let content = ChunkerTests.content
        let length = lengths(content.prefix(8 << 20), by: chunker)[0]
        var changed = Array(content.prefix(length + 100))
        for index in length..<changed.count { changed[index] ^= 0xFF }
        #expect(lengths(changed, by: chunker)[0] == length)
    }

    @Test func contentBelowTheMinimumIsOneChunk() {
        for size in [1, 63, 64, 65, Chunker.minimumSize - 1, Chunker.minimumSize] {
            #expect(lengths(ChunkerTests.content.prefix(size), by: chunker) == [size])
        }
        #expect(chunker.boundary(in: UnsafeRawBufferPointer(start: nil, count: 0)) == 0)
    }

    @Test func contentWithoutACutEndsAtTheMaximum() {
        let zeros = [UInt8](repeating: 0, count: Chunker.maximumSize + 5)
        #expect(lengths(zeros, by: chunker) == [Chunker.maximumSize, 5])
        #expect(
            lengths(zeros.prefix(Chunker.maximumSize), by: chunker) == [Chunker.maximumSize])
    }
}
