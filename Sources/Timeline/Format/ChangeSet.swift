// A change set on its own, as the journal holds it and as it goes from node to node:
//
//     record (counted, at most 4096 bytes; its counts of blobs mean nothing here)
//     number of entries (varint), entries as in a page table
//     bodies, one after another in the table's order; the entries say how long they are
//
// Invariants, held before a change set is written and after it is read: the table is what the
// record's chain covers; pages ascend and are not the lock page (they may lie behind the database's
// end, where a transaction spilled pages that it gave back); gap and epoch records have no pages.
// No hash covers codecs and bodies: the page hashes prove them once they are decoded.

package import Codec

/// One record with what it changed.
package struct ChangeSet: Sendable, Hashable {
    package var record: Record
    /// In ascending order of pages.
    package var entries: [PageTableEntry]
    /// The bodies of all entries, in their order.
    package var bodies: [UInt8]

    package init(record: Record, entries: [PageTableEntry], bodies: [UInt8]) {
        self.record = record
        self.entries = entries
        self.bodies = bodies
    }
}

extension ChangeSet {
    private static let recordLimit = 4096

    /// About how many bytes the encoded change set has, never fewer.
    var sizeBound: Int { ChangeSet.recordLimit + entries.count * 48 + bodies.count }

    func encode(into writer: inout ByteWriter) {
        writer.write(counted: record.encoded)
        PageTable.encode(entries, into: &writer)
        writer.write(bytes: bodies)
    }

    package var encoded: [UInt8] {
        var writer = ByteWriter(capacity: sizeBound)
        encode(into: &writer)
        return writer.bytes
    }

    package init(decoding bytes: [UInt8]) throws(FormatError) {
        var reader = ByteReader(bytes)
        try self.init(from: &reader)
        try reader.finish()
    }

    init(from reader: inout ByteReader) throws(FormatError) {
        record = try Record(decoding: try reader.counted(limit: ChangeSet.recordLimit))
        entries = try PageTable.decode(from: &reader, limit: Int(PageGeometry.pageLimit))
        // No sum of so many lengths, each below 2^17, can overflow.
        bodies = try reader.bytes(entries.reduce(0) { $0 + $1.length })
        try check()
    }

    /// Throws where one of the invariants does not hold.
    package func check() throws(FormatError) {
        switch record.kind {
        case .commit: break
        case .gap, .epoch:
            guard entries.isEmpty else {
                throw FormatError("record \(record.position) of its kind has no pages")
            }
        case .base, .tree: throw FormatError("record \(record.position) is no change set")
        }
        guard entries.count == Int(record.tableCount), entries.hash == record.tableHash else {
            throw FormatError("the table of record \(record.position) is another one")
        }
        try checkPages()
    }

    private func checkPages() throws(FormatError) {
        let lockPage = PageGeometry(pageSize: record.pageSize).lockPage
        var last: UInt32 = 0
        var size = 0
        for entry in entries {
            guard entry.page > last, entry.page <= PageGeometry.pageLimit, entry.page != lockPage,
                (0...PageTable.bodyLimit).contains(entry.length)
            else { throw FormatError("record \(record.position) has a page it cannot have") }
            last = entry.page
            size += entry.length
        }
        guard size == bodies.count else {
            throw FormatError("bodies of record \(record.position) are missing or too many")
        }
    }
}

extension [PageTableEntry] {
    /// The hash of a table, which a record's chain covers.
    package var hash: Digest {
        let hasher = TableHasher()
        for entry in self { hasher.add(page: entry.page, hash: entry.hash) }
        return hasher.finish()
    }
}
