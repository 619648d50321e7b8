import Codec

/// How long lists of pieces are; other than ``standard`` only in tests.
package struct PieceListShape: Sendable {
    /// The most entries a node holds itself; more become lists.
    let inline: Int
    let smallest: Int
    let largest: Int
    /// Between the bounds, a list ends behind an id whose first bytes have none of these bits.
    let mask: UInt8

    package init(inline: Int, smallest: Int, largest: Int, mask: UInt8) {
        precondition(1 < smallest && smallest <= largest && largest <= PieceList.longest)
        self.inline = inline
        self.smallest = smallest
        self.largest = largest
        self.mask = mask
    }

    /// Lists of some 1300 entries: a change in a file of 1 TB writes about 100 KB of lists anew.
    package static let standard = PieceListShape(
        inline: 16_384, smallest: 1024, largest: 8192, mask: 0xFF)

    /// Whether a list ends here. By what is in it, not by its place, so that a piece more at a
    /// file's beginning leaves the lists behind it as they were.
    fileprivate func isFull(_ entries: [PieceList.Entry]) -> Bool {
        guard entries.count >= smallest, let last = entries.last else { return false }
        return entries.count >= largest
            || last.blob.id.digest.withUnsafeBytes { $0[0] & mask } == 0
    }
}

/// Gathers a file's pieces, in order, into lists, and holds no more than one list of each level.
package struct PieceListWriter {
    /// Stores a list as a blob.
    package typealias Put = (_ list: [UInt8]) throws -> BlobID

    private let shape: PieceListShape
    /// Entries that are in no list yet, by level. Below the topmost level each list that is full
    /// has gone up as one entry.
    private var levels: [[PieceList.Entry]] = [[]]

    package init(_ shape: PieceListShape = .standard) {
        self.shape = shape
    }

    /// Adds the next piece.
    package mutating func append(_ piece: BlobReference, _ put: Put) throws {
        try append(PieceList.Entry(piece: piece), at: 0, put)
    }

    private mutating func append(_ entry: PieceList.Entry, at level: Int, _ put: Put) throws {
        levels[level].append(entry)
        if level < levels.count - 1 {
            if shape.isFull(levels[level]) { try raise(level, put) }
        } else if levels[level].count > shape.inline {
            try split(level, put)
        }
    }

    /// Begins a level above: the entries, grown too many for a node, go into lists from now on.
    private mutating func split(_ level: Int, _ put: Put) throws {
        guard level < PieceList.deepest else {
            throw FormatError("a file has more pieces than lists can hold")
        }
        let entries = levels[level]
        levels[level] = []
        levels.append([])
        for entry in entries { try append(entry, at: level, put) }
    }

    /// Stores the entries of a level as a list, which is an entry of the level above.
    private mutating func raise(_ level: Int, _ put: Put) throws {
        let list = PieceList(level: level, levels[level])
        levels[level] = []
        let bytes = list.encoded
        guard let content = list.bytes else { throw FormatError("a file larger than files are") }
        let blob = BlobReference(id: try put(bytes), size: bytes.count)
        try append(PieceList.Entry(blob, bytes: content), at: level + 1, put)
    }

    /// What the file's node is to hold; nothing may be added afterwards.
    package mutating func finish(_ put: Put) throws -> PieceList {
        var level = 0
        while level < levels.count - 1 {
            if !levels[level].isEmpty { try raise(level, put) }
            level += 1
        }
        return PieceList(level: level, levels[level])
    }
}
