import Codec
import Repository

/// What reading a segment back has proved.
struct SegmentProof {
    private(set) var records = 0
    private(set) var end: JournalEnd?

    /// Reads each blob of a segment, and holds each change set's table against its record's chain.
    ///
    /// - Throws: `damaged` where anything is not what it should be.
    init(reading name: ObjectName, in repository: Repository) throws {
        let reader = try SegmentReader(name, in: repository, with: BlobOpener(repository))
        do {
            try read(reader)
        } catch let error as FormatError {
            throw RepositoryError(
                .damaged, "\(name): \(error)",
                hint: "Run 'holdfast verify --read-data' to see what is hurt.")
        }
    }

    private mutating func read(_ reader: SegmentReader) throws {
        let handles = try reader.records()
        for handle in handles where handle.record.kind != .base && !handle.isForgotten {
            try check(handle, reader)
        }
        for (index, entry) in reader.entries.enumerated() where !entry.header.kind.isOfChangeSet {
            _ = try reader.read(index)
        }
        records = handles.count
        end = handles.last.map { JournalEnd(of: $0.record) }
    }

    private func check(_ handle: RecordHandle, _ reader: SegmentReader) throws {
        var table: [PageTableEntry] = []
        for index in reader.blobs(of: handle, kind: .pageTable) {
            table += try PageTable.decode(reader.read(index))
        }
        let bodies = try reader.blobs(of: handle, kind: .pageBodies).reduce(0) {
            $0 + (try reader.read($1).count)
        }
        guard table.count == Int(handle.table.count), table.hash == handle.table.hash,
            table.reduce(0, { $0 + $1.length }) == bodies
        else { throw FormatError("the table of record \(handle.position) is another one") }
    }
}

extension BlobKind {
    fileprivate var isOfChangeSet: Bool { self == .pageTable || self == .pageBodies }
}
