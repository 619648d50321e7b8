import Platform

/// A file's content, and how much of it a power failure can take away.
struct SimulatedFile: Sendable {
    private(set) var bytes: [UInt8] = []
    /// Bytes from the beginning that a sync has made durable.
    private var durable = 0
    /// Where each write since then ended.
    private var unsynced: [Int] = []
    /// A sync that failed: what it was for cannot be made durable any more.
    private(set) var lost: Errno?

    /// A file that was there, whole, before anything happened.
    init(durable bytes: [UInt8]) {
        self.bytes = bytes
        durable = bytes.count
    }

    init() {}

    mutating func append(_ more: UnsafeRawBufferPointer) {
        guard !more.isEmpty else { return }
        bytes.append(contentsOf: more)
        unsynced.append(bytes.count)
    }

    mutating func sync() {
        durable = bytes.count
        unsynced = []
    }

    mutating func failSync(_ errno: Errno) {
        lost = errno
    }

    mutating func flip(byteAt offset: Int, xor mask: UInt8) {
        bytes[offset] ^= mask
    }

    /// What became of one write that was not synced.
    private enum Fate {
        case kept
        case dropped
        /// Only its sectors up to a boundary came through, or only those from there on.
        case torn
        /// The file grew, the data never came.
        case zeros

        init(_ chance: SeededRandomness, keepingInEight odds: Int) {
            if chance.chance(odds, in: 8) {
                self = .kept
            } else {
                let others: [Fate] = [.dropped, .torn, .zeros]
                self = others[chance.below(others.count)]
            }
        }
    }

    /// The file as it is found after a power failure.
    func afterCrash(_ chance: SeededRandomness, keepingInEight odds: Int) -> SimulatedFile {
        var found = Array(bytes[..<durable])
        var start = durable
        for end in unsynced {
            switch Fate(chance, keepingInEight: odds) {
            case .kept:
                place(start..<end, in: &found)
            case .dropped:
                break
            case .torn:
                let boundaries = end / 512 - start / 512
                guard boundaries > 0 else { break }
                let cut = (start / 512 + 1 + chance.below(boundaries)) * 512
                place(chance.chance(1, in: 2) ? start..<cut : cut..<end, in: &found)
            case .zeros:
                grow(&found, to: end)
            }
            start = end
        }
        return SimulatedFile(durable: found)
    }

    private func place(_ range: Range<Int>, in found: inout [UInt8]) {
        guard !range.isEmpty else { return }
        grow(&found, to: range.upperBound)
        found.replaceSubrange(range, with: bytes[range])
    }

    private func grow(_ found: inout [UInt8], to count: Int) {
        if found.count < count {
            found.append(contentsOf: repeatElement(0, count: count - found.count))
        }
    }
}
