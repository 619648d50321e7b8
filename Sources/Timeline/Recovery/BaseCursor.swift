import Codec
import Repository

/// Walks a base group by group: the hashes of its pages, and which blob holds them.
struct BaseCursor {
    let record: Record
    let geometry: PageGeometry
    private let reader: SegmentReader
    private let hashBlobs: [Int]
    private let mapBlobs: [Int]
    private var nextHashes = 0
    private var nextMap = 0
    private var hashes: ByteReader?
    private var map: ByteReader?
    private var group = 0
    private let hasher = TableHasher()

    init(_ handle: RecordHandle, _ reader: SegmentReader) throws {
        record = handle.record
        geometry = PageGeometry(pageSize: record.pageSize)
        self.reader = reader
        hashBlobs = reader.blobs(of: handle, kind: .pageHashes)
        mapBlobs = reader.blobs(of: handle, kind: .pageMap)
    }

    /// The next group's page hashes (the lock page's is zero) and its blob; nil past the last.
    mutating func next() throws -> (hashes: [Digest], blob: BlobID)? {
        guard group < geometry.groupCount(pages: record.pageCount) else { return nil }
        let pages = geometry.pages(of: group, total: record.pageCount)
        group += 1
        var digests: [Digest] = []
        digests.reserveCapacity(pages.count)
        for page in pages {
            let digest = try next(&hashes, hashBlobs, &nextHashes)
            digests.append(digest)
            if page != geometry.lockPage { hasher.add(page: page, hash: digest) }
        }
        return (digests, BlobID(try next(&map, mapBlobs, &nextMap)))
    }

    /// Throws where the hashes were not what the record's chain covers.
    mutating func finish() throws {
        while try next() != nil {}
        guard hasher.finish() == record.tableHash else {
            throw FormatError("the page hashes of \(record.position) are not what its chain covers")
        }
    }

    private func next(
        _ current: inout ByteReader?, _ blobs: [Int], _ index: inout Int
    ) throws -> Digest {
        while (current?.remaining ?? 0) == 0 {
            guard index < blobs.count else { throw FormatError("a base cut short") }
            current = ByteReader(try reader.read(blobs[index]))
            index += 1
        }
        guard let digest = try current?.digest() else { throw FormatError("a base cut short") }
        return digest
    }
}
