// Records whose states were forgotten, many in one blob of kind `forgottenRecords`:
//
//     version u8 (1) · number of records (varint, 1 to 4096) · chain hash before the first (32)
//     then for each: header · table hash (32) · changed pages (varint)
//
// Each continues the one before, so that no previous chain hash but the first is stored. What they
// changed is in the merged record behind them, or nowhere. None of them is a base.

import Codec

/// Encodes and decodes records of which only header and table hash are left.
enum ForgottenRecords {
    /// Records that one blob holds at most.
    static let limit = 4096

    /// - Parameter records: each continuing the one before.
    static func encode(_ records: ArraySlice<Record>) -> [UInt8] {
        precondition((1...limit).contains(records.count))
        var writer = ByteWriter(capacity: records.count * 160 + 64)
        writer.write(u8: 1)
        writer.write(varint: UInt64(records.count))
        writer.write(digest: records.first?.previous ?? .zero)
        for record in records {
            writer.write(bytes: record.header)
            writer.write(digest: record.tableHash)
            writer.write(varint: UInt64(record.tableCount))
        }
        return writer.bytes
    }

    /// - Parameter known: a boot id that the records share where they have the same.
    static func decode(_ bytes: [UInt8], sharing known: [UInt8]?) throws(FormatError) -> [Record] {
        var reader = ByteReader(bytes)
        guard try reader.u8() == 1 else {
            throw FormatError("forgotten records of an unknown version")
        }
        let count = try reader.count(limit: limit, elementSize: 100)
        guard count > 0 else { throw FormatError("forgotten records that are none") }
        var records: [Record] = []
        records.reserveCapacity(count)
        var previous = try reader.digest()
        var known = known
        for _ in 0..<count {
            var record = try Record(header: &reader, sharing: known)
            record.previous = previous
            record.tableHash = try reader.digest()
            guard record.kind != .base, let changed = UInt32(exactly: try reader.varint()) else {
                throw FormatError("record \(record.position) cannot be forgotten")
            }
            record.tableCount = changed
            known = record.seen.bootID
            previous = record.chain
            records.append(record)
        }
        try reader.finish()
        return records
    }
}
