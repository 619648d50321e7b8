import Codec
package import Platform
package import Repository
import Synchronization

/// One stream as the repository held it when it was looked at.
package final class Stream: Sendable {
    package let identity: StreamIdentity
    /// The newest record: what an append continues.
    package let end: RecordHandle?
    let store: RecordStore
    /// Segments of it that cannot be read.
    let hurt: [HurtSegment]
    private let known = Mutex<StreamSegments?>(nil)
    let waysBack = WaysBack()

    init(
        _ identity: StreamIdentity, end: RecordHandle?, store: RecordStore,
        hurt: [HurtSegment] = []
    ) {
        self.hurt = hurt
        self.identity = identity
        self.end = end
        self.store = store
    }

    package var path: FilePath { FilePath(bytes: identity.path) }

    /// The stream's segments; read once.
    func segments() throws -> StreamSegments {
        try known.withLock { known in
            if let known { return known }
            let summaries = try store.summaries(of: identity.stream)
            let segments = StreamSegments(summaries)
            known = segments
            return segments
        }
    }

    /// Summaries of the stream's segments, by their newest positions.
    package func summaries() throws -> [SegmentSummary] { try segments().summaries }

    /// The name of a segment.
    func name(of summary: SegmentSummary) throws -> ObjectName {
        try store.segment(summary.number).name
    }

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
        for handle in try records(around: position.sequence)
        where handle.position == position && found[handle.chain]?.isForgotten ?? true {
            found[handle.chain] = handle
        }
        return found.values.sorted { $0.chain < $1.chain }
    }

    /// All records of the segments that reach over a sequence number.
    private func records(around sequence: UInt64) throws -> [RecordHandle] {
        let segments = try segments()
        return try segments.reaching(over: sequence).flatMap {
            try store.records(of: segments.summaries[$0])
        }
    }

    /// The record with a chain hash, at a sequence number that is known; nil where it is missing.
    /// One that was forgotten is given only where there is no other copy.
    func record(_ chain: Digest, near sequence: UInt64) throws -> RecordHandle? {
        if let spot = try copies(of: chain, at: sequence).first { return try record(at: spot) }
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

    /// The record of a state; throws `damaged` where it is missing, or was forgotten.
    package func record(at reference: DatabaseReference) throws -> RecordHandle {
        guard let handle = try find(reference) else {
            throw RepositoryError(
                .damaged,
                "the state \(reference.position) of \(path) is not in the repository",
                hint: "Run 'holdfast verify' to see which segment is missing.")
        }
        // Nothing may be built on a state that is not there.
        guard try isRestorable(handle) else { throw lost(handle) }
        return handle
    }

    /// The record of a state; nil where it is missing.
    package func find(_ reference: DatabaseReference) throws -> RecordHandle? {
        let found = try record(reference.chain, near: reference.position.sequence)
        return found.flatMap { $0.position == reference.position ? $0 : nil }
    }
}
