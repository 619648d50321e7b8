package import Codec
package import Platform
package import Repository
import Synchronization

/// One stream as the repository held it when it was looked at.
package final class Stream: Sendable {
    package let identity: StreamIdentity
    /// The newest record: what an append continues.
    package let end: RecordHandle?
    let store: RecordStore
    private let known = Mutex<Segments?>(nil)

    /// What is known of the stream's segments.
    struct Segments: Sendable {
        /// By their newest positions.
        let summaries: [SegmentSummary]
        /// Which segments end with a chain hash.
        let ends: [Digest: Int]
    }

    init(_ identity: StreamIdentity, end: RecordHandle?, store: RecordStore) {
        self.identity = identity
        self.end = end
        self.store = store
    }

    package var path: FilePath { FilePath(bytes: identity.path) }

    /// The stream's segments; read once.
    func segments() throws -> Segments {
        try known.withLock { known in
            if let known { return known }
            let summaries = try store.summaries(of: identity.stream)
            let segments = Segments(
                summaries: summaries,
                ends: Dictionary(
                    summaries.indices.map { (summaries[$0].chain, $0) },
                    uniquingKeysWith: { first, _ in first }))
            known = segments
            return segments
        }
    }

    /// Summaries of the stream's segments, by their newest positions.
    package func summaries() throws -> [SegmentSummary] { try segments().summaries }

    /// The records of a segment.
    package func records(of summary: SegmentSummary) throws -> [RecordHandle] {
        try store.records(of: summary)
    }

    /// Bases, gaps and epochs of a segment.
    package func landmarks(of summary: SegmentSummary) throws -> [RecordHandle] {
        guard summary.bases + summary.gaps + summary.epochs > 0 else { return [] }
        return try store.segment(summary.number).note.landmarks
            ?? records(of: summary).filter { $0.record.isLandmark }
    }

    /// The records at a position: several where histories parted, none where there is no such
    /// record.
    package func records(at position: Position) throws -> [RecordHandle] {
        var found: [Digest: RecordHandle] = [:]
        for handle in try records(around: position.sequence) where handle.position == position {
            found[handle.chain] = handle
        }
        return found.values.sorted { $0.chain < $1.chain }
    }

    /// All records of the segments that reach over a sequence number.
    private func records(around sequence: UInt64) throws -> [RecordHandle] {
        try segments().summaries.filter { $0.sequences.contains(sequence) }.flatMap {
            try store.records(of: $0)
        }
    }

    /// The record with a chain hash, at a sequence number that is known; nil where it is missing.
    func record(_ chain: Digest, near sequence: UInt64) throws -> RecordHandle? {
        let segments = try segments()
        if let index = segments.ends[chain],
            let last = try store.records(of: segments.summaries[index]).last, last.chain == chain
        {
            return last
        }
        return try records(around: sequence).first { $0.chain == chain }
    }

    /// The record that another continues; nil where it is missing.
    func record(before handle: RecordHandle) throws -> RecordHandle? {
        guard handle.position.sequence > 0 else { return nil }
        if handle.index > 0 {
            let records = try store.records(of: handle.segment)
            let previous = records[handle.index - 1]
            if handle.continues(previous) { return previous }
        }
        let found = try record(handle.record.previous, near: handle.position.sequence - 1)
        return found.flatMap { $0.position.sequence < handle.position.sequence ? $0 : nil }
    }

    /// The record at a position whose chain is `chain`; throws `damaged` where it is missing.
    package func record(at reference: DatabaseReference) throws -> RecordHandle {
        guard let handle = try find(reference) else {
            throw RepositoryError(
                .damaged,
                "the state \(reference.position) of \(path) is not in the repository",
                hint: "Run 'holdfast verify' to see which segment is missing.")
        }
        return handle
    }

    /// The record of a state; nil where it is missing.
    package func find(_ reference: DatabaseReference) throws -> RecordHandle? {
        let found = try record(reference.chain, near: reference.position.sequence)
        return found.flatMap { $0.position == reference.position ? $0 : nil }
    }

    /// Every record, by its chain hash: for streams of which all is looked at.
    package func allRecords() throws -> [Digest: RecordHandle] {
        var records: [Digest: RecordHandle] = [:]
        for summary in try summaries() {
            for handle in try store.records(of: summary) { records[handle.chain] = handle }
        }
        return records
    }

    /// The records from a complete base to `target`, in order; throws `damaged` where one is
    /// missing.
    package func path(to target: RecordHandle) throws -> RecordPath {
        var runs: [RecordPath.Run] = []
        var last = target
        while true {
            let records = try store.records(of: last.segment)
            var first = last.index
            while records[first].record.kind != .base, first > 0,
                records[first].continues(records[first - 1])
            {
                first -= 1
            }
            runs.append(RecordPath.Run(segment: last.segment, range: first...last.index))
            guard records[first].record.kind != .base else {
                return RecordPath(
                    runs: runs.reversed(), store: store, first: records[first], last: target)
            }
            guard let previous = try record(before: records[first]) else {
                throw RepositoryError(
                    .damaged,
                    "record \(records[first].position) of the stream of \(path) leads to a record"
                        + " that is missing",
                    hint: "Run 'holdfast verify --read-data' to see which segment is hurt.")
            }
            last = previous
        }
    }
}
