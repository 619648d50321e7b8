import Codec
import Platform
import Repository

/// Reads one segment; used by one thread.
struct SegmentReader {
    let pack: PackReader
    let entries: [PackEntry]
    private let opener: BlobOpener

    init(_ name: ObjectName, in repository: Repository, with opener: BlobOpener) throws {
        pack = try PackReader(name, in: repository.place)
        entries = try pack.index(with: opener.cipher(of: pack))
        self.opener = opener
    }

    func read(_ index: Int) throws -> [UInt8] {
        try opener.read(entries[index], in: pack)
    }

    /// Identity and records of the segment, each record's counts held against its blobs.
    func note() throws -> SegmentNote {
        do {
            guard entries.first?.header.kind == .streamIdentity else {
                throw FormatError("a segment that names no stream")
            }
            let identity = try StreamIdentity(decoding: read(0))
            var records: [(record: Record, entry: Int)] = []
            var first = 1
            for (index, entry) in entries.enumerated() where entry.header.kind == .record {
                let record = try Record(decoding: read(index))
                try check(record, first..<index)
                records.append((record, index))
                first = index + 1
            }
            guard first == entries.count else { throw FormatError("blobs behind the last record") }
            return SegmentNote(identity: identity, size: pack.size, records: records)
        } catch let error as FormatError {
            throw RepositoryError(
                .damaged, "\(pack.name): \(error)",
                hint: "Run 'holdfast verify --read-data' to see what is hurt.")
        }
    }

    private func check(_ record: Record, _ range: Range<Int>) throws(FormatError) {
        let (table, body) = record.blobKinds
        var counts = (table: 0, body: 0)
        for index in range {
            switch entries[index].header.kind {
            case table: counts.table += 1
            case body: counts.body += 1
            default: throw FormatError("a blob that belongs to no record")
            }
        }
        guard counts.table == record.tableBlobs, counts.body == record.bodyBlobs else {
            throw FormatError("record \(record.position) counts other blobs than it has")
        }
    }

    /// Indexes of the blobs of one kind that belong to a record.
    func blobs(of handle: RecordHandle, kind: BlobKind) -> [Int] {
        (handle.firstEntry..<handle.entry).filter {
            $0 < entries.count && entries[$0].header.kind == kind
        }
    }
}

extension Record {
    /// The kinds of blobs that belong to a record of this kind.
    var blobKinds: (table: BlobKind, body: BlobKind) {
        kind == .base ? (.pageHashes, .pageMap) : (.pageTable, .pageBodies)
    }
}
