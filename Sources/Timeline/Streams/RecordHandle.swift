package import Codec
package import Repository

/// A record and where it lies.
package struct RecordHandle: Sendable, Hashable {
    package let record: Record
    /// What of the record is left there.
    package var form = RecordForm.plain
    /// The record's chain hash.
    package let chain: Digest
    package let segment: ObjectName
    /// Bytes that the record and its blobs take in the segment.
    package let storedBytes: UInt64
    /// The record's number in the segment, from 0.
    let index: Int
    /// Index of the record's blob in the segment's index.
    let entry: Int
    /// Index of the first blob that belongs to the record.
    let firstEntry: Int

    package var position: Position { record.position }

    /// Whether only header and table hash are left.
    package var isForgotten: Bool { form == .forgotten }

    /// How many forgotten records just before it its change set stands for.
    var covered: Int {
        if case .merged(let table) = form { return table.covered }
        return 0
    }

    /// Pages of the table that lies with it, and the table's hash.
    var table: (count: UInt32, hash: Digest) {
        if case .merged(let table) = form { return (table.count, table.hash) }
        return (record.tableCount, record.tableHash)
    }
}

extension RecordHandle {
    /// The state after the record, as a snapshot would name it, but without a fingerprint.
    package func reference(in stream: [UInt8]) -> DatabaseReference {
        DatabaseReference(stream: stream, position: position, chain: chain, fingerprint: [])
    }

    func encode(into writer: inout ByteWriter) {
        writer.write(varint: UInt64(index))
        writer.write(varint: UInt64(entry))
        writer.write(varint: UInt64(firstEntry))
        writer.write(varint: storedBytes)
        switch form {
        case .plain:
            writer.write(u8: 0)
            writer.write(counted: record.encoded)
        case .merged(let table):
            writer.write(u8: 1)
            writer.write(counted: MergedRecord(record, table).encoded)
        case .forgotten:
            writer.write(u8: 2)
            writer.write(counted: record.encoded)
        }
    }

    init(from reader: inout ByteReader, in segment: ObjectName) throws(FormatError) {
        let numbers = (try reader.varint(), try reader.varint(), try reader.varint())
        guard numbers.0 < 1 << 22, numbers.1 < 1 << 22, numbers.2 <= numbers.1 else {
            throw FormatError("place of a record out of range")
        }
        (index, entry, firstEntry) = (Int(numbers.0), Int(numbers.1), Int(numbers.2))
        storedBytes = try reader.varint()
        let kind = try reader.u8()
        let bytes = try reader.counted(limit: 8192)
        switch kind {
        case 0: record = try Record(decoding: bytes)
        case 1:
            let merged = try MergedRecord(decoding: bytes, sharing: nil)
            record = merged.record
            form = .merged(merged.table)
        case 2:
            record = try Record(decoding: bytes)
            form = .forgotten
        default: throw FormatError("record in an unknown form")
        }
        chain = record.chain
        self.segment = segment
    }
}
