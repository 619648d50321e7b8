import Codec
import Repository

/// Writes change sets into a segment; bodies that were left uncompressed are compressed.
struct ChangeSetWriter {
    private static let blobBytes = 256 << 10

    private let compressor: Compressor
    private var entries: [PageTableEntry] = []
    private var bodies: [UInt8] = []

    init(_ tools: Tools) {
        compressor = tools.compressor
    }

    mutating func write(_ change: ChangeSet, into segment: SegmentWriter) throws {
        var record = change.record
        record.tableBlobs = 0
        record.bodyBlobs = 0
        var offset = 0
        for entry in change.entries {
            add(entry, change.bodies[offset..<offset + entry.length])
            offset += entry.length
            if entries.count == PageTable.blobEntries { try flushTable(&record, segment) }
            if bodies.count >= ChangeSetWriter.blobBytes { try flushBodies(&record, segment) }
        }
        try flushTable(&record, segment)
        try flushBodies(&record, segment)
        try segment.append(record.encoded, kind: .record)
    }

    private mutating func add(_ entry: PageTableEntry, _ body: ArraySlice<UInt8>) {
        let start = bodies.count
        var codec = entry.codec
        if codec == .stored {
            let result = body.withUnsafeBytes { compressor.compress($0, into: &bodies) }
            codec = result == .stored ? .stored : .zlib
        } else {
            bodies.append(contentsOf: body)
        }
        entries.append(
            PageTableEntry(
                page: entry.page, hash: entry.hash, codec: codec, length: bodies.count - start))
    }

    private mutating func flushTable(
        _ record: inout Record, _ segment: SegmentWriter
    ) throws {
        guard !entries.isEmpty else { return }
        try segment.append(PageTable.encode(entries), kind: .pageTable)
        entries.removeAll(keepingCapacity: true)
        record.tableBlobs += 1
    }

    private mutating func flushBodies(
        _ record: inout Record, _ segment: SegmentWriter
    ) throws {
        guard !bodies.isEmpty else { return }
        try segment.append(bodies, kind: .pageBodies)
        bodies.removeAll(keepingCapacity: true)
        record.bodyBlobs += 1
    }
}
