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

    /// To what the segment's records belong.
    func identity() throws -> StreamIdentity {
        try asDamage {
            guard entries.first?.header.kind == .streamIdentity else {
                throw FormatError("a segment that names no stream")
            }
            return try StreamIdentity(decoding: read(0))
        }
    }

    /// The records of the segment, each one's counts held against its blobs.
    func records() throws -> [RecordHandle] {
        try asDamage {
            var handles: [RecordHandle] = []
            var first = 1
            for (index, entry) in entries.enumerated() where entry.header.kind == .record {
                // Of a boot id there is one copy, not one a record.
                let record = try Record(
                    decoding: read(index), sharing: handles.last?.record.seen.bootID)
                try check(record, first..<index)
                let bytes = entries[first...index].reduce(0) { $0 + $1.header.span }
                handles.append(
                    RecordHandle(
                        record: record, chain: record.chain, segment: pack.name,
                        storedBytes: UInt64(bytes), index: handles.count, entry: index,
                        firstEntry: first))
                first = index + 1
            }
            guard first == entries.count, !handles.isEmpty else {
                throw FormatError("blobs behind the last record")
            }
            return handles
        }
    }

    private func asDamage<R>(_ body: () throws -> R) throws -> R {
        do {
            return try body()
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
