// Which records of the streams are needed:
//
// - all of the window, which counts back from the stream's newest record, and the state in which
//   the window begins;
// - those that a kept snapshot names, and each stream's end, however old;
// - and the way back from each of these to a complete base, with the base's page groups.
//
// Only whole segments go. So a stream is cut at complete bases, and what lies in a segment of which
// anything is needed stays, also where its own way back has gone.

import Codec
package import Platform
package import Repository

/// What a retention run means for one stream.
package struct StreamOutlook: Sendable {
    package let identity: StreamIdentity
    package let records: Int
    package let neededRecords: Int
    /// The window begins here.
    package let windowStart: Timestamp
    package let newest: Timestamp
    package let segments: Int
    package let unneededSegments: Int
}

/// What the streams of a repository need.
package struct StreamNeeds {
    /// The segments that are needed.
    package private(set) var segments: Set<ObjectName> = []
    /// The segments that are not.
    package private(set) var unneeded: Set<ObjectName> = []
    package private(set) var outlooks: [StreamOutlook] = []
    private var bases: [RecordHandle] = []

    /// - Parameters:
    ///   - references: the states that kept snapshots name.
    ///   - window: how long every record of a stream stays.
    ///   - now: nil where times are to be believed as they are.
    /// - Throws: `damaged` where a segment cannot be read: nobody knows what it needs.
    package init(
        in repository: Repository, references: [DatabaseReference], window: HistoryWindow,
        now: Timestamp?
    ) throws {
        let marks = Set(try repository.place.list(.marks).map(\.name.name))
        let index = try StreamIndex(of: repository, leavingOut: marks)
        // What is needed and lies in marked segments only will be copied.
        let whole = marks.isEmpty ? index : try StreamIndex(of: repository)
        if let (segment, reason) = whole.damaged.first {
            throw RepositoryError(
                .damaged, "\(segment) cannot be read: \(reason); what it needs is not known",
                hint: "Run 'holdfast verify' to see what is hurt; nothing was changed.")
        }
        var references = Dictionary(grouping: references) { $0.stream }
        for (id, stream) in whole.streams.sorted(by: { $0.key.lexicographicallyPrecedes($1.key) }) {
            let named = references.removeValue(forKey: id) ?? []
            try add(
                StreamHistory(stream, unmarked: index.streams[id]), named,
                window: window.nanoseconds(of: stream.identity), now: now)
        }
    }

    private mutating func add(
        _ history: StreamHistory, _ named: [DatabaseReference], window: Int64, now: Timestamp?
    ) throws {
        guard let end = history.end else { return }
        if let now, let doubt = history.doubt(now: now) {
            throw RepositoryError(
                .refused,
                "the history of \(FilePath(bytes: history.identity.path)) has a record whose time"
                    + " cannot be believed: \(doubt)",
                hint: "If the time is right, give --trust-times.")
        }
        let start = end.record.seen.wall.adding(nanoseconds: -window)
        let roots = history.window(from: start) + named.compactMap { history[$0.chain] } + [end]
        let needed = history.closure(of: roots)
        let all = history.segments
        let kept = Set(needed.map(\.segment))
        segments.formUnion(kept)
        unneeded.formUnion(all.subtracting(kept))
        bases += needed.filter { $0.record.kind == .base }
        outlooks.append(
            StreamOutlook(
                identity: history.identity, records: history.count, neededRecords: needed.count,
                windowStart: start, newest: end.record.seen.wall, segments: all.count,
                unneededSegments: all.subtracting(kept).count))
    }

    /// Visits the blobs of the page groups that are needed, in runs.
    package func forEachGroups(
        in repository: Repository, _ body: ([BlobID]) throws -> Void
    ) throws {
        let opener = BlobOpener(repository)
        for base in bases {
            let segment = try SegmentReader(base.segment, in: repository, with: opener)
            for blob in segment.blobs(of: base, kind: .pageMap) {
                var map = ByteReader(try segment.read(blob))
                var ids: [BlobID] = []
                while map.remaining > 0 { ids.append(BlobID(try map.digest())) }
                try body(ids)
            }
        }
    }
}

/// All records of one stream, those in segments that stay preferred.
private struct StreamHistory {
    let identity: StreamIdentity
    private let records: [Digest: RecordHandle]

    init(_ stream: Stream, unmarked: Stream?) throws {
        identity = stream.identity
        records = try stream.allRecords().merging(unmarked?.allRecords() ?? [:]) { $1 }
    }

    subscript(chain: Digest) -> RecordHandle? { records[chain] }

    var count: Int { records.count }

    var end: RecordHandle? {
        records.values.max { ($0.record.position, $0.chain) < ($1.record.position, $1.chain) }
    }

    var segments: Set<ObjectName> { Set(records.values.map(\.segment)) }

    /// The records since a moment, and of those after it the ones that they continue: one of these
    /// is the state of that moment.
    func window(from start: Timestamp) -> [RecordHandle] {
        let inside = records.values.filter { $0.record.seen.wall >= start }
        let after = inside.filter { $0.record.seen.wall > start }
        return inside + after.compactMap { records[$0.record.previous] }
    }

    /// The records and their way back to complete bases, as far as it is there.
    func closure(of roots: [RecordHandle]) -> [RecordHandle] {
        var found: [Digest: RecordHandle] = [:]
        for root in roots {
            var next: RecordHandle? = root
            while let handle = next, found[handle.chain] == nil {
                found[handle.chain] = handle
                next = handle.record.kind == .base ? nil : records[handle.record.previous]
            }
        }
        return Array(found.values)
    }

    func doubt(now: Timestamp) -> TimeCheck.Doubt? {
        let inOrder = records.values.sorted {
            ($0.record.position, $0.chain) < ($1.record.position, $1.chain)
        }
        return TimeCheck.doubt(
            inOrder.map {
                DatedMoment(
                    wall: $0.record.seen.wall, boot: $0.record.seen.boot,
                    bootID: $0.record.seen.bootID)
            }, now: now)
    }
}
