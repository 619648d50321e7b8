package import Repository

/// The records that make up a state, from a base to the state's own, as runs of whole segments.
package struct RecordPath: Sendable {
    /// Adjacent records of one segment.
    struct Run: Sendable {
        let segment: ObjectName
        /// Numbers of the records in the segment; not empty.
        let range: ClosedRange<Int>
    }

    /// Oldest first.
    let runs: [Run]
    let store: RecordStore
    /// The base, and the record of the state; nil for an empty path.
    package let first: RecordHandle?
    package let last: RecordHandle?

    /// A path of nothing: a state that cannot be put together.
    static func empty(in store: RecordStore) -> RecordPath {
        RecordPath(runs: [], store: store, first: nil, last: nil)
    }

    /// Records in the path.
    package var count: Int { runs.reduce(0) { $0 + $1.range.count } }

    package var isEmpty: Bool { runs.isEmpty }

    /// Segments that hold the path.
    package var segments: [ObjectName] { runs.map(\.segment) }

    /// Hands out the records, oldest first.
    package func forEach(_ body: (RecordHandle) throws -> Void) throws {
        for run in runs {
            for record in try store.records(of: run.segment)[run.range] { try body(record) }
        }
    }
}
