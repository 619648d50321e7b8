// Where files are cut: a gear hash runs over the bytes, h = 2h + gear[byte], so that h knows the
// last 64 bytes and nothing else; a chunk ends after the byte at which h is small. Equal content
// is cut equally wherever it lies, and who has no key cannot tell content from the cuts.
//
// A chunk has at least 512 KiB. Up to 1 MiB one byte in 2^21 ends it, then one in 2^17 (normalised
// chunking), which makes 1 MiB on average and few chunks far from it. It never exceeds 8 MiB.

/// Cuts content into chunks at places that the content itself determines.
package final class Chunker: Sendable {
    /// The fewest bytes of a chunk that is not the last.
    package static let minimumSize = 512 << 10
    /// Bytes of a chunk on average.
    package static let averageSize = 1 << 20
    /// The most bytes of a chunk.
    package static let maximumSize = 8 << 20

    private static let window = 64
    private static let strictLimit: UInt64 = 1 << (64 - 21)
    private static let looseLimit: UInt64 = 1 << (64 - 17)

    private let gear: [UInt64]

    /// - Parameter key: secret; equal keys cut equally.
    package init(key: [UInt8]) {
        let hasher = KeyedHasher(key: key)
        gear = (0...UInt8.max).map { byte in
            let digest = withUnsafeBytes(of: byte) { hasher.digest($0) }
            let word = digest.withUnsafeBytes { $0.loadUnaligned(as: UInt64.self) }
            return UInt64(littleEndian: word)
        }
    }

    /// The length of the first chunk of `bytes`.
    ///
    /// - Parameter bytes: at least ``maximumSize`` of them, or the content to its end; where they
    ///   hold no cut, they are the chunk.
    package func boundary(in bytes: UnsafeRawBufferPointer) -> Int {
        let end = min(bytes.count, Chunker.maximumSize)
        guard end > Chunker.minimumSize, let base = bytes.baseAddress else { return end }
        // Raw pointers keep bounds checks out of the loop; `end` is within `bytes`, and a byte is
        // within the 256 entries.
        return gear.withUnsafeBufferPointer { gear in
            guard let table = gear.baseAddress else { return end }
            var scan = Scan(bytes: base, gear: table, position: Chunker.minimumSize)
            scan.warm(Chunker.window)
            let middle = min(end, Chunker.averageSize)
            if scan.advance(to: middle, below: Chunker.strictLimit) { return scan.position }
            if scan.advance(to: end, below: Chunker.looseLimit) { return scan.position }
            return end
        }
    }
}

/// A gear hash on its way through a buffer.
private struct Scan {
    let bytes: UnsafeRawPointer
    let gear: UnsafePointer<UInt64>
    /// Bytes that are hashed.
    private(set) var position: Int
    private var hash: UInt64 = 0

    init(bytes: UnsafeRawPointer, gear: UnsafePointer<UInt64>, position: Int) {
        (self.bytes, self.gear, self.position) = (bytes, gear, position)
    }

    /// Hashes the bytes before the position, as far as the hash remembers them.
    mutating func warm(_ count: Int) {
        for index in position - count..<position { hash = (hash &<< 1) &+ value(index) }
    }

    /// Moves on until the hash is below `limit`; false where it is not up to `end`.
    ///
    /// Two bytes a step: the hash after the second is found without waiting for the first.
    mutating func advance(to end: Int, below limit: UInt64) -> Bool {
        var (index, hash) = (position, self.hash)
        defer { (position, self.hash) = (index, hash) }
        while index &+ 1 < end, hash >= limit {
            let (first, second) = (value(index), value(index &+ 1))
            let middle = (hash &<< 1) &+ first
            hash = (hash &<< 2) &+ ((first &<< 1) &+ second)
            index &+= 2
            if middle < limit {
                (index, hash) = (index &- 1, middle)
                return true
            }
        }
        if index < end, hash >= limit {
            hash = (hash &<< 1) &+ value(index)
            index &+= 1
        }
        return hash < limit
    }

    @inline(__always)
    private func value(_ index: Int) -> UInt64 {
        gear[Int(bytes.load(fromByteOffset: index, as: UInt8.self))]
    }
}
