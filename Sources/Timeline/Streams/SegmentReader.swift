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
            var list = RecordList(of: self)
            for index in entries.indices { try list.take(index) }
            guard list.isWhole else { throw FormatError("blobs behind the last record") }
            return list.handles
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
