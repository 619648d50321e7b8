// A record whose change set holds also what the forgotten records just before it changed, as a blob
// of kind `mergedRecord`, behind its table and bodies:
//
//     version u8 (1) · forgotten records it stands for (varint, at least 1)
//     pages of the merged table (varint) · hash of the merged table (32)
//     the record (counted); its counts of blobs are those of the merged change set
//
// The chain covers the record's own table, not the merged one: what proves the merged pages is the
// record's state root, which the chain does cover. The hash finds damage in the table early.

import Codec

/// The table of a merged change set.
package struct MergedTable: Sendable, Hashable {
    /// Forgotten records just before, for whose changes it stands too.
    package let covered: Int
    /// Pages it has.
    let count: UInt32
    let hash: Digest
}

/// What of a record's state its segment holds.
package enum RecordForm: Sendable, Hashable {
    /// What the record changed.
    case plain
    /// What it and the forgotten ones just before it changed.
    case merged(MergedTable)
    /// Nothing: only that it was there.
    case forgotten
}

/// A record with the table that stands for several.
struct MergedRecord {
    private static let recordLimit = 4096
    private static let coveredLimit: UInt64 = 4 << 20

    let record: Record
    let table: MergedTable

    init(_ record: Record, _ table: MergedTable) {
        self.record = record
        self.table = table
    }

    var encoded: [UInt8] {
        var writer = ByteWriter(capacity: 320)
        writer.write(u8: 1)
        writer.write(varint: UInt64(table.covered))
        writer.write(varint: UInt64(table.count))
        writer.write(digest: table.hash)
        writer.write(counted: record.encoded)
        return writer.bytes
    }

    /// - Parameter known: a boot id that the record shares where it has the same.
    init(decoding bytes: [UInt8], sharing known: [UInt8]?) throws(FormatError) {
        var reader = ByteReader(bytes)
        guard try reader.u8() == 1 else {
            throw FormatError("merged record of an unknown version")
        }
        let covered = try reader.varint()
        guard (1...MergedRecord.coveredLimit).contains(covered),
            let count = UInt32(exactly: try reader.varint())
        else { throw FormatError("merged record out of range") }
        table = MergedTable(covered: Int(covered), count: count, hash: try reader.digest())
        record = try Record(
            decoding: try reader.counted(limit: MergedRecord.recordLimit), sharing: known)
        guard record.kind == .commit else {
            throw FormatError("record \(record.position) of its kind cannot be merged")
        }
        try reader.finish()
    }
}
