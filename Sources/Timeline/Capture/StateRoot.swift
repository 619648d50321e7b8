package import Codec

/// A hash of a set of pages: the sum of their hashes modulo 2²⁵⁶.
///
/// Each digest counts as a big-endian number. The order of adding does not matter, and changing a
/// page costs one subtraction and one addition.
package struct StateRoot: Hashable, Sendable {
    /// Words of 64 bits, the least significant first.
    private var words: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)

    /// The root of no pages.
    package init() {}

    /// The root that was stored as a digest.
    package init(_ digest: Digest) {
        words = StateRoot.words(of: digest)
    }

    /// The root as it is stored.
    package var digest: Digest {
        let bytes = (
            words.3.bigEndian, words.2.bigEndian, words.1.bigEndian, words.0.bigEndian
        )
        return withUnsafeBytes(of: bytes) { Digest(bytes: $0) }
    }

    /// Adds a page's hash.
    package mutating func add(_ digest: Digest) {
        add(StateRoot.words(of: digest))
    }

    /// Adds all pages of another root.
    package mutating func add(_ other: StateRoot) {
        add(other.words)
    }

    /// Takes a page's hash away.
    package mutating func subtract(_ digest: Digest) {
        subtract(StateRoot.words(of: digest))
    }

    /// Takes all pages of another root away.
    package mutating func subtract(_ other: StateRoot) {
        subtract(other.words)
    }

    private static func words(of digest: Digest) -> (UInt64, UInt64, UInt64, UInt64) {
        digest.withUnsafeBytes { bytes in
            func word(_ offset: Int) -> UInt64 {
                UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
            }
            return (word(24), word(16), word(8), word(0))
        }
    }

    private mutating func add(_ other: (UInt64, UInt64, UInt64, UInt64)) {
        var carry: UInt64 = 0
        func sum(_ a: UInt64, _ b: UInt64) -> UInt64 {
            let (partial, first) = a.addingReportingOverflow(b)
            let (whole, second) = partial.addingReportingOverflow(carry)
            carry = first || second ? 1 : 0
            return whole
        }
        words = (
            sum(words.0, other.0), sum(words.1, other.1), sum(words.2, other.2),
            sum(words.3, other.3)
        )
    }

    private mutating func subtract(_ other: (UInt64, UInt64, UInt64, UInt64)) {
        var borrow: UInt64 = 0
        func difference(_ a: UInt64, _ b: UInt64) -> UInt64 {
            let (partial, first) = a.subtractingReportingOverflow(b)
            let (whole, second) = partial.subtractingReportingOverflow(borrow)
            borrow = first || second ? 1 : 0
            return whole
        }
        words = (
            difference(words.0, other.0), difference(words.1, other.1),
            difference(words.2, other.2), difference(words.3, other.3)
        )
    }

    package static func == (left: StateRoot, right: StateRoot) -> Bool {
        left.words == right.words
    }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(words.0)
    }
}
