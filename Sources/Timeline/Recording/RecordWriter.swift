import Codec
import Repository

/// Writes outcomes of page groups into a segment as one record's blobs.
struct RecordWriter {
    private static let blobBytes = 256 << 10

    private let segment: SegmentWriter
    private let geometry: PageGeometry
    private let hasher = TableHasher()
    private var root = StateRoot()
    private var page: UInt32 = 1
    private var count: UInt32 = 0
    private var tableBlobs = 0
    private var bodyBlobs = 0
    private var hashes = ByteWriter()
    private var map = ByteWriter()
    private var entries: [PageTableEntry] = []
    private var bodies: [UInt8] = []

    init(into segment: SegmentWriter, geometry: PageGeometry) {
        self.segment = segment
        self.geometry = geometry
    }

    mutating func add(_ outcome: GroupOutcome) throws {
        root.add(outcome.sum)
        switch outcome.content {
        case .base(let digests, let blob): try add(digests, blob)
        case .changes(let changed, let bytes): try add(changed, bytes)
        }
    }

    private mutating func add(_ digests: [Digest], _ blob: BlobID) throws {
        for digest in digests {
            if page != geometry.lockPage {
                hasher.add(page: page, hash: digest)
                count += 1
            }
            hashes.write(digest: digest)
            page += 1
        }
        map.write(digest: blob.digest)
        if hashes.bytes.count >= RecordWriter.blobBytes { try flushHashes() }
        if map.bytes.count >= RecordWriter.blobBytes { try flushMap() }
    }

    private mutating func add(_ changed: [PageTableEntry], _ bytes: [UInt8]) throws {
        var offset = 0
        for entry in changed {
            hasher.add(page: entry.page, hash: entry.hash)
            count += 1
            entries.append(entry)
            bodies.append(contentsOf: bytes[offset..<offset + entry.length])
            offset += entry.length
            if entries.count == PageTable.blobEntries { try flushTable() }
            if bodies.count >= RecordWriter.blobBytes { try flushBodies() }
        }
    }

    private mutating func flushHashes() throws {
        guard !hashes.bytes.isEmpty else { return }
        try segment.append(hashes.bytes, kind: .pageHashes)
        hashes = ByteWriter()
        tableBlobs += 1
    }

    private mutating func flushMap() throws {
        guard !map.bytes.isEmpty else { return }
        try segment.append(map.bytes, kind: .pageMap)
        map = ByteWriter()
        bodyBlobs += 1
    }

    private mutating func flushTable() throws {
        guard !entries.isEmpty else { return }
        try segment.append(PageTable.encode(entries), kind: .pageTable)
        entries.removeAll(keepingCapacity: true)
        tableBlobs += 1
    }

    private mutating func flushBodies() throws {
        guard !bodies.isEmpty else { return }
        try segment.append(bodies, kind: .pageBodies)
        bodies.removeAll(keepingCapacity: true)
        bodyBlobs += 1
    }

    /// Adds pages of a merged change set.
    mutating func add(merged changed: [PageTableEntry], _ bytes: [UInt8]) throws {
        try add(changed, bytes)
    }

    /// Seals a record that is there already behind the merged change set that was added.
    mutating func finish(merging known: Record, covering covered: Int) throws {
        try flushTable()
        try flushBodies()
        var record = known
        record.tableBlobs = tableBlobs
        record.bodyBlobs = bodyBlobs
        let table = MergedTable(covered: covered, count: count, hash: hasher.finish())
        try segment.append(MergedRecord(record, table).encoded, kind: .mergedRecord)
    }

    /// Fills in what the outcomes determine, and seals the record behind its blobs.
    mutating func finish(_ draft: Record) throws -> Record {
        try flushHashes()
        try flushMap()
        try flushTable()
        try flushBodies()
        var record = draft
        record.stateRoot = root.digest
        record.tableHash = hasher.finish()
        record.tableCount = count
        record.tableBlobs = tableBlobs
        record.bodyBlobs = bodyBlobs
        try segment.append(record.encoded, kind: .record)
        return record
    }
}
