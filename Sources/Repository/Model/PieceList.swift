// Which blobs make up a file. A node names up to some 16 000 pieces itself. Where there are more,
// the list of them is cut into blobs, the list of these again, until a node can hold what is left:
//
//     node, level 2 ─┬─ list, level 1 ─┬─ list, level 0 ─┬─ piece
//                    └─ …              └─ …              └─ piece …
//
// A list's bytes:
//
//     version u8 (1) · level u8 · number of entries (varint)
//     each entry: plain size of the blob (varint) · above level 0: bytes of content (varint) · id
//
// That each entry says how much content it stands for lets a reader hold every list against the
// one above. Since none may stand for nothing, no list can claim more pieces than its file's size.

package import Codec

/// The pieces of a file, in order, or lists of them.
package struct PieceList: Hashable, Sendable {
    /// A piece, or a list of the level below.
    package struct Entry: Hashable, Sendable {
        package let blob: BlobReference
        /// Bytes of the file that it stands for.
        package let bytes: UInt64

        package init(_ blob: BlobReference, bytes: UInt64) {
            self.blob = blob
            self.bytes = bytes
        }

        package init(piece: BlobReference) {
            self.init(piece, bytes: UInt64(piece.size))
        }
    }

    /// The most levels of lists below a node. With the fewest entries a writer puts into a list,
    /// three reach as far as a file can: 16 384 · 1024³ pieces of 512 KiB are 2^63 bytes.
    package static let deepest = 3
    /// The most entries of a list that is a blob.
    static let longest = 65_536

    /// How many lists lie between an entry and its pieces; 0 where the entries are the pieces.
    package let level: Int
    package let entries: [Entry]

    package init(level: Int, _ entries: [Entry]) {
        self.level = level
        self.entries = entries
    }

    /// A file's pieces without lists.
    package init(pieces: [BlobReference]) {
        self.init(level: 0, pieces.map { Entry(piece: $0) })
    }

    /// Bytes of all that it stands for; nil where no number is that large.
    package var bytes: UInt64? {
        var sum: UInt64 = 0
        for entry in entries {
            let (next, overflow) = sum.addingReportingOverflow(entry.bytes)
            guard !overflow else { return nil }
            sum = next
        }
        return sum
    }
}

extension PieceList {
    private static let version: UInt8 = 1

    /// The bytes of the list as a blob.
    package var encoded: [UInt8] {
        var writer = ByteWriter(capacity: entries.count * 48 + 8)
        writer.write(u8: PieceList.version)
        writer.write(u8: UInt8(level))
        encode(into: &writer)
        return writer.bytes
    }

    /// Reads a blob that must be a list of this level.
    package init(decoding bytes: [UInt8], level: Int) throws(FormatError) {
        var reader = ByteReader(bytes)
        guard try reader.u8() == PieceList.version else {
            throw FormatError("list of pieces of an unknown version")
        }
        guard Int(try reader.u8()) == level else {
            throw FormatError("list of pieces of another level")
        }
        try self.init(level: level, limit: PieceList.longest, from: &reader)
        try reader.finish()
    }

    func encode(into writer: inout ByteWriter) {
        writer.write(varint: UInt64(entries.count))
        for entry in entries {
            writer.write(varint: UInt64(entry.blob.size))
            if level > 0 { writer.write(varint: entry.bytes) }
            writer.write(digest: entry.blob.id.digest)
        }
    }

    init(level: Int, limit: Int, from reader: inout ByteReader) throws(FormatError) {
        let count = try reader.count(limit: limit, elementSize: level == 0 ? 33 : 34)
        var entries: [Entry] = []
        entries.reserveCapacity(count)
        for _ in 0..<count {
            let size = try reader.varint()
            guard size > 0, size <= UInt64(BlobHeader.plainLimit) else {
                throw FormatError("a piece, or a list, of a size that no blob of a file has")
            }
            let bytes = level == 0 ? size : try reader.varint()
            guard bytes > 0 else { throw FormatError("a list of pieces that stands for nothing") }
            let id = BlobID(try reader.digest())
            entries.append(Entry(BlobReference(id: id, size: Int(size)), bytes: bytes))
        }
        self.init(level: level, entries)
    }
}
