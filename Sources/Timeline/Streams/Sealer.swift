import Codec
import Platform
package import Repository

/// What sealing has moved into the repository.
package struct SealedSegment: Sendable {
    package let end: JournalEnd
    package let records: Int
    package let bytes: UInt64
}

/// Moves what a journal holds into segments.
package enum Sealer {
    package static func seal(
        _ journal: Journal, into repository: Repository, under lease: HeldLease
    ) throws -> SealedSegment? {
        let parts = journal.rotate()
        guard !parts.isEmpty else { return nil }
        let known = try StreamIndex(of: repository).streams[journal.identity.stream]
        let segment = try SegmentWriter(of: journal.identity, in: repository, under: lease)
        var last: Record?
        var records = 0
        for part in parts {
            try journal.changeSets(in: part) { change in
                last = change.record
                guard known?.records[change.record.chain] == nil else { return }
                records += 1
                try append(change, to: segment)
            }
        }
        guard let last else { return nil }
        let pending = try segment.finish()
        if records > 0 { try pending.publish(in: repository, under: lease) }
        for part in parts { try journal.remove(part) }
        return SealedSegment(
            end: JournalEnd(of: last), records: records, bytes: records > 0 ? pending.pack.size : 0)
    }

    private static func append(_ change: ChangeSet, to segment: SegmentWriter) throws {
        var record = change.record
        record.tableBlobs = 0
        record.bodyBlobs = 0
        var first = 0
        var offset = 0
        while first < change.entries.count {
            var next = first
            var size = 0
            while next < change.entries.count, next - first < PageTable.blobEntries,
                size < 256 << 10
            {
                size += change.entries[next].length
                next += 1
            }
            try segment.append(
                PageTable.encode(Array(change.entries[first..<next])), kind: .pageTable)
            record.tableBlobs += 1
            if size > 0 {
                try segment.append(Array(change.bodies[offset..<offset + size]), kind: .pageBodies)
                record.bodyBlobs += 1
            }
            first = next
            offset += size
        }
        try segment.append(record.encoded, kind: .record)
    }
}
