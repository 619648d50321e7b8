// Which records of the streams are needed:
//
// - all of the window, which counts back from the stream's newest record, and the state in which
//   the window begins;
// - those that a kept snapshot names, and each stream's end, however old;
// - and the way back from each of these to a complete base, with the base's page groups.
//
// Memory: a few numbers a segment. Only the records of segments in which the window begins, or in
// which lies what a snapshot names, are looked at.

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

/// What is kept of one stream.
struct StreamKeeping {
    /// The stream without the segments that are marked.
    let stream: Stream
    /// The states that kept snapshots name.
    let named: Set<Digest>
    let windowStart: Timestamp
    let end: RecordHandle
    /// Of the segments that stay the highest number of a record that is needed, by index.
    let needed: [Int: Int]
}

/// What the streams of a repository need.
package struct StreamNeeds {
    /// The segments that are needed.
    package private(set) var segments: Set<ObjectName> = []
    /// The segments that are not.
    package private(set) var unneeded: Set<ObjectName> = []
    package private(set) var outlooks: [StreamOutlook] = []
    private(set) var keepings: [StreamKeeping] = []
    private var bases: Set<RecordHandle> = []

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
        if let segment = whole.damaged.first {
            throw RepositoryError(
                .damaged,
                "\(segment.name) cannot be read: \(segment.reason); what it needs is not known",
                hint: "Run 'holdfast verify' to see what is hurt; nothing was changed.")
        }
        let named = Dictionary(grouping: references) { $0.stream }
        for (id, stream) in whole.streams.sorted(by: { $0.key.lexicographicallyPrecedes($1.key) }) {
            guard let end = stream.end else { continue }
            try StreamNeeds.requireBelievableTimes(of: stream, now: now)
            let start = end.record.seen.wall.adding(
                nanoseconds: -window.nanoseconds(of: stream.identity))
            var closure = StreamClosure(of: stream, unmarked: index.streams[id])
            try closure.add(
                window: start, named: named[id] ?? [], end: end, marks: marks)
            try add(closure, named: named[id] ?? [], from: start, end)
        }
    }

    private mutating func add(
        _ closure: StreamClosure, named: [DatabaseReference], from start: Timestamp,
        _ end: RecordHandle
    ) throws {
        let all = Set(try closure.whole.summaries().map { try closure.whole.name(of: $0) })
        let kept = try closure.names()
        segments.formUnion(kept)
        unneeded.formUnion(all.subtracting(kept))
        bases.formUnion(closure.bases)
        outlooks.append(
            StreamOutlook(
                identity: closure.whole.identity,
                records: try closure.whole.summaries().reduce(0) { $0 + $1.records },
                neededRecords: closure.count, windowStart: start, newest: end.record.seen.wall,
                segments: all.count, unneededSegments: all.subtracting(kept).count))
        guard let (stream, needed) = closure.unmarked else { return }
        keepings.append(
            StreamKeeping(
                stream: stream, named: Set(named.map(\.chain)), windowStart: start, end: end,
                needed: needed))
    }

    private static func requireBelievableTimes(of stream: Stream, now: Timestamp?) throws {
        guard let now, let doubt = try stream.doubt(now: now) else { return }
        throw RepositoryError(
            .refused,
            "the history of \(stream.path) has a record whose time cannot be believed: \(doubt)",
            hint: "If the time is right, give --trust-times.")
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

extension Stream {
    /// The first doubt about the times of the stream's records, in the order of their positions.
    fileprivate func doubt(now: Timestamp) throws -> TimeCheck.Doubt? {
        var check = TimeCheck(now: now)
        for summary in try summaries().sorted(by: { ($0.last, $0.first) < ($1.last, $1.first) }) {
            if let doubt = check.isAhead(summary.latest) { return doubt }
            if let jump = summary.jump { return TimeCheck.jump(to: jump) }
            let moments =
                summary.isOneBoot
                ? [summary.firstDated, summary.lastDated]
                : try records(of: summary).map(\.record.dated)
            for moment in moments { if let doubt = check.add(moment) { return doubt } }
        }
        return check.doubtOfNewestBoot
    }
}
