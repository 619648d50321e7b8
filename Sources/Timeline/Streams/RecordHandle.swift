package import Codec
package import Repository

/// A record and where it lies.
package struct RecordHandle: Sendable, Hashable {
    package let record: Record
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
        writer.write(counted: record.encoded)
    }

    init(from reader: inout ByteReader, in segment: ObjectName) throws(FormatError) {
        let numbers = (try reader.varint(), try reader.varint(), try reader.varint())
        guard numbers.0 < 1 << 22, numbers.1 < 1 << 22, numbers.2 <= numbers.1 else {
            throw FormatError("place of a record out of range")
        }
        (index, entry, firstEntry) = (Int(numbers.0), Int(numbers.1), Int(numbers.2))
        storedBytes = try reader.varint()
        record = try Record(decoding: try reader.counted(limit: 4096))
        chain = record.chain
        self.segment = segment
    }
}
