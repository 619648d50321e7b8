import Codec
import Repository

/// Takes the blobs of a segment one after another, and makes records of them.
struct RecordList {
    private let reader: SegmentReader
    private(set) var handles: [RecordHandle] = []
    /// Index of the first blob that belongs to the record to come.
    private var first = 1

    init(of reader: SegmentReader) {
        self.reader = reader
    }

    /// Whether nothing lies behind the last record, and there is one.
    var isWhole: Bool { first == reader.entries.count && !handles.isEmpty }

    mutating func take(_ index: Int) throws {
        // Of a boot id there is one copy, not one a record.
        let known = handles.last?.record.seen.bootID
        switch reader.entries[index].header.kind {
        case .record:
            add(try Record(decoding: reader.read(index), sharing: known), .plain, at: index)
        case .mergedRecord:
            let merged = try MergedRecord(decoding: reader.read(index), sharing: known)
            try check(merged)
            add(merged.record, .merged(merged.table), at: index)
        case .forgottenRecords:
            guard first == index else { throw FormatError("a blob that belongs to no record") }
            let records = try ForgottenRecords.decode(reader.read(index), sharing: known)
            let share = UInt64(reader.entries[index].header.span) / UInt64(records.count)
            for record in records { append(record, .forgotten, at: index, bytes: share) }
        default: return
        }
        first = index + 1
        if let last = handles.last, !last.isForgotten {
            try check(last.record, last.firstEntry..<last.entry)
        }
    }

    private mutating func add(_ record: Record, _ form: RecordForm, at index: Int) {
        let bytes = reader.entries[first...index].reduce(0) { $0 + UInt64($1.header.span) }
        append(record, form, at: index, bytes: bytes)
    }

    private mutating func append(
        _ record: Record, _ form: RecordForm, at index: Int, bytes: UInt64
    ) {
        handles.append(
            RecordHandle(
                record: record, form: form, chain: record.chain, segment: reader.pack.name,
                storedBytes: bytes, index: handles.count, entry: index, firstEntry: first))
    }

    /// The records for which a merged one stands must be there, each continuing the one before.
    private func check(_ merged: MergedRecord) throws(FormatError) {
        let covered = handles.suffix(merged.table.covered)
        guard covered.count == merged.table.covered, covered.allSatisfy(\.isForgotten),
            zip(covered, covered.dropFirst()).allSatisfy({ $1.continues($0) }),
            merged.record.previous == covered.last?.chain
        else {
            throw FormatError(
                "record \(merged.record.position) stands for others than lie before it")
        }
    }

    private func check(_ record: Record, _ range: Range<Int>) throws(FormatError) {
        let (table, body) = record.blobKinds
        var counts = (table: 0, body: 0)
        for index in range {
            switch reader.entries[index].header.kind {
            case table: counts.table += 1
            case body: counts.body += 1
            default: throw FormatError("a blob that belongs to no record")
            }
        }
        guard counts.table == record.tableBlobs, counts.body == record.bodyBlobs else {
            throw FormatError("record \(record.position) counts other blobs than it has")
        }
    }
}
