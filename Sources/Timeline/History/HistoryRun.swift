import Repository

/// Adjacent records of one segment, in the order in which their states were there.
package struct HistoryRun: Sendable {
    /// The segment as a whole.
    let segment: SegmentSummary
    /// The records of it that count, and what is known of these.
    let range: Range<Int>
    package let summary: SegmentSummary
    /// Records just before these are missing: a segment is hurt, or was forgotten.
    package var isBroken = false

    init(whole segment: SegmentSummary) {
        self.segment = segment
        range = 0..<segment.records
        summary = segment
    }

    init(_ range: ClosedRange<Int>, of segment: SegmentSummary, _ records: [RecordHandle]) {
        self.segment = segment
        self.range = range.lowerBound..<range.upperBound + 1
        summary = SegmentSummary(of: Array(records[range])) ?? segment
    }
}

/// A line of history that can be gone back to.
package struct HistoryBranch: Sendable {
    /// The epoch's number; where an epoch has several lines, of all but the longest with the
    /// beginning of its last chain hash behind it.
    package let name: String
    package let epoch: UInt64
    /// The record with which the epoch began; nil for the first, or where it is missing.
    package let begin: RecordHandle?
    package let tip: RecordHandle
    /// The last sequence number that counts where a later epoch began before the tip.
    package let fence: UInt64?
}
