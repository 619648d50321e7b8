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
        var table: [PageTableEntry] = []
        var bodies = 0
        for (index, entry) in reader.entries.enumerated() {
            let bytes = try reader.read(index)
            switch entry.header.kind {
            case .pageTable: table += try PageTable.decode(bytes)
            case .pageBodies: bodies += bytes.count
            case .record:
                let record = try Record(decoding: bytes)
                if record.kind != .base { try check(record, table, bodies) }
                records += 1
                end = JournalEnd(of: record)
                table.removeAll(keepingCapacity: true)
                bodies = 0
            default: continue
            }
        }
    }

    private func check(
        _ record: Record, _ table: [PageTableEntry], _ bodies: Int
    ) throws(FormatError) {
        guard table.count == Int(record.tableCount), table.hash == record.tableHash,
            table.reduce(0, { $0 + $1.length }) == bodies
        else { throw FormatError("the table of record \(record.position) is another one") }
    }
}
