// The table of a change set, cut into blobs of kind `pageTable`:
//
//     number of entries (varint), then for each page in ascending order
//     distance from the page before (varint; from 0 in each blob) · hash (32) · codec u8 · length
//
// The bodies lie one after another, in the table's order, in blobs of kind `pageBodies`; a body
// never spans two blobs.

package import Codec

/// How a page lies in a change set.
package enum PageCodec: UInt8, Sendable {
    case stored = 0
    case zlib = 1
    /// zlib with the page's version just before as preset dictionary, in pieces of 16 KiB.
    case dictionary = 2
}

/// A line of a change set's table.
package struct PageTableEntry: Sendable, Hashable {
    package let page: UInt32
    package let hash: Digest
    package let codec: PageCodec
    /// Bytes of the body.
    package let length: Int
}

/// Encodes and decodes parts of a table.
enum PageTable {
    /// Entries a blob holds at most.
    static let blobEntries = 4096
    /// A body longer than this is damage: a page and what deflate may add to it.
    static let bodyLimit = 65536 + 1024

    static func encode(_ entries: [PageTableEntry]) -> [UInt8] {
        var writer = ByteWriter(capacity: entries.count * 40)
        encode(entries, into: &writer)
        return writer.bytes
    }

    static func encode(_ entries: [PageTableEntry], into writer: inout ByteWriter) {
        writer.write(varint: UInt64(entries.count))
        var last: UInt32 = 0
        for entry in entries {
            writer.write(varint: UInt64(entry.page - last))
            writer.write(digest: entry.hash)
            writer.write(u8: entry.codec.rawValue)
            writer.write(varint: UInt64(entry.length))
            last = entry.page
        }
    }

    static func decode(_ bytes: [UInt8]) throws(FormatError) -> [PageTableEntry] {
        var reader = ByteReader(bytes)
        let entries = try decode(from: &reader, limit: blobEntries)
        try reader.finish()
        return entries
    }

    /// - Parameter limit: the most entries there may be.
    static func decode(
        from reader: inout ByteReader, limit: Int
    ) throws(FormatError) -> [PageTableEntry] {
        let count = try reader.count(limit: limit, elementSize: 35)
        var entries: [PageTableEntry] = []
        entries.reserveCapacity(count)
        var last: UInt64 = 0
        for _ in 0..<count {
            let distance = try reader.varint()
            let hash = try reader.digest()
            guard let codec = PageCodec(rawValue: try reader.u8()) else {
                throw FormatError("page of an unknown codec")
            }
            let length = try reader.varint()
            guard distance > 0, distance <= UInt64(UInt32.max) - last, length <= UInt64(bodyLimit)
            else { throw FormatError("page table out of range") }
            last += distance
            entries.append(
                PageTableEntry(page: UInt32(last), hash: hash, codec: codec, length: Int(length)))
        }
        return entries
    }
}

/// Hashes the table that a record's chain covers.
struct TableHasher {
    private let hasher = Hasher256()

    init() { hasher.begin() }

    func add(page: UInt32, hash: Digest) {
        withUnsafeBytes(of: page.bigEndian) { hasher.update($0) }
        hash.withUnsafeBytes { hasher.update($0) }
    }

    func finish() -> Digest { hasher.finish() }
}
