/// Thirty-two bytes that name other bytes.
///
/// Held as big-endian words, so that comparing words is comparing bytes.
package struct Digest: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// Bytes of a digest.
    package static let size = 32
    /// The digest of which every bit is zero; no content is known to have it.
    package static let zero = Digest(0, 0, 0, 0)

    private let word0: UInt64
    private let word1: UInt64
    private let word2: UInt64
    private let word3: UInt64

    private init(_ word0: UInt64, _ word1: UInt64, _ word2: UInt64, _ word3: UInt64) {
        (self.word0, self.word1, self.word2, self.word3) = (word0, word1, word2, word3)
    }

    /// - Parameter bytes: exactly 32.
    package init(bytes: UnsafeRawBufferPointer) {
        precondition(bytes.count == Digest.size)
        func word(_ index: Int) -> UInt64 {
            UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: index * 8, as: UInt64.self))
        }
        self.init(word(0), word(1), word(2), word(3))
    }

    /// Reads 64 hexadecimal digits in lower case; nil for anything else.
    package init?(hex: String) {
        guard hex.utf8.count == 2 * Digest.size, let bytes = Hex.decode(hex) else { return nil }
        self = bytes.withUnsafeBytes { Digest(bytes: $0) }
    }

    /// 64 hexadecimal digits in lower case.
    package var hex: String {
        withUnsafeBytes { Hex.encode($0) }
    }

    package var description: String { hex }

    /// The 32 bytes.
    package var bytes: [UInt8] { withUnsafeBytes { Array($0) } }

    /// Calls `body` with the 32 bytes.
    package func withUnsafeBytes<Result, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        let words = (word0.bigEndian, word1.bigEndian, word2.bigEndian, word3.bigEndian)
        return try Swift.withUnsafeBytes(of: words, body)
    }

    /// Writes the 32 bytes to the front of `buffer`, which has at least as many.
    package func write(into buffer: UnsafeMutableRawBufferPointer) {
        withUnsafeBytes { buffer.copyMemory(from: $0) }
    }

    package static func < (left: Digest, right: Digest) -> Bool {
        if left.word0 != right.word0 { return left.word0 < right.word0 }
        if left.word1 != right.word1 { return left.word1 < right.word1 }
        if left.word2 != right.word2 { return left.word2 < right.word2 }
        return left.word3 < right.word3
    }
}
