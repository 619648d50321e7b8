// Which segments of a stream are written anew so that states nobody keeps are forgotten.
//
// A line is a row of needed segments outside the window, each continuing the one before, that hold
// no base and not the stream's end. In a line a record is kept when a snapshot names it, or when
// anything needed outside the line continues it; what lies between two kept ones is merged into the
// second. A kept record that is no commit keeps the commit before it. Every 2^15 records one more
// is kept, so that no segment has too many.
//
// A merge stores again what it does not drop: of records that are merged into one, about the
// largest stays at least. So it is done only where the others are a quarter of what is written anew
// or more. What was merged once is written again only when about as much has come to it.

import Codec
import Repository

/// Adjacent segments that are written anew.
struct MergeJob {
    let stream: Stream
    /// Oldest first.
    let segments: [SegmentSummary]
    /// For each record of these whether it is kept.
    let isKept: [Bool]
    /// Whether nothing that is needed continues the last record.
    let isTail: Bool
    /// Bytes of the segments' records, and how many of them may go at most.
    let bytes: UInt64
    let gain: UInt64

    /// Records that are forgotten.
    var forgotten: Int { isKept.count { !$0 } }
}

/// A record of a line, as far as planning needs it.
private struct PlannedRecord {
    /// Bytes that go if the record is merged away; none of forgotten records, gaps and epochs.
    let weight: UInt32
    let isCommit: Bool
    var isKept: Bool
}

/// Finds what of a stream is worth being merged.
struct MergePlan {
    private static let runLimit = 1 << 15
    private let keeping: StreamKeeping
    private let summaries: [SegmentSummary]
    /// How many needed segments begin by continuing a chain hash.
    private var continued: [Digest: Int] = [:]
    private(set) var jobs: [MergeJob] = []

    init(of keeping: StreamKeeping) throws {
        self.keeping = keeping
        summaries = try keeping.stream.summaries()
        try countContinued()
        for line in lines() { try plan(line) }
    }

    private mutating func countContinued() throws {
        for segment in keeping.needed.keys {
            let summary = summaries[segment]
            continued[summary.previous, default: 0] += 1
            guard !summary.isLinear else { continue }
            let records = try keeping.stream.records(of: summary)
            for (before, handle) in zip(records, records.dropFirst())
            where !handle.continues(before) {
                continued[handle.record.previous, default: 0] += 1
            }
        }
    }

    // MARK: Lines

    private func isEligible(_ segment: Int) -> Bool {
        let summary = summaries[segment]
        return summary.isLinear && summary.bases == 0 && summary.latest < keeping.windowStart
            && summary.last < keeping.end.position
    }

    private func lines() -> [[Int]] {
        let eligible = keeping.needed.keys.filter(isEligible).sorted {
            (summaries[$0].first, $0) < (summaries[$1].first, $1)
        }
        let ends = Dictionary(grouping: eligible) { summaries[$0].chain }
        var next: [Int: Int] = [:]
        var followers: Set<Int> = []
        for segment in eligible {
            // What several continue, or what lies there twice, divides lines.
            guard let before = ends[summaries[segment].previous], before.count == 1,
                continued[summaries[segment].previous] == 1
            else { continue }
            next[before[0]] = segment
            followers.insert(segment)
        }
        return eligible.filter { !followers.contains($0) }.map { first in
            var line = [first]
            while let last = line.last, let following = next[last] { line.append(following) }
            return line
        }
    }

    // MARK: Jobs

    private mutating func plan(_ line: [Int]) throws {
        var records: [PlannedRecord] = []
        var starts: [Int] = []
        var lastCommit: Int?
        for (number, segment) in line.enumerated() {
            starts.append(records.count)
            for handle in try keeping.stream.records(of: summaries[segment]) {
                let kept = try isKept(handle, segment, isLast: number == line.count - 1)
                add(handle, kept, to: &records, &lastCommit)
            }
        }
        starts.append(records.count)
        let gains = MergePlan.gains(of: &records, starts)
        for dirty in MergePlan.groups(of: gains) {
            add(line, dirty, records, starts, gain: gains[dirty].reduce(0, +))
        }
    }

    private func isKept(_ handle: RecordHandle, _ segment: Int, isLast: Bool) throws -> Bool {
        guard !handle.isForgotten else { return false }
        if keeping.named.contains(handle.chain) { return true }
        let records = summaries[segment].records
        let isEnd = handle.index == records - 1
        if handle.index == keeping.needed[segment], isLast || !isEnd { return true }
        // The next segment of the line continues the last record of this one.
        return continued[handle.chain, default: 0] > (isEnd && !isLast ? 1 : 0)
    }

    private func add(
        _ handle: RecordHandle, _ isKept: Bool, to records: inout [PlannedRecord],
        _ lastCommit: inout Int?
    ) {
        let isCommit = handle.record.kind == .commit && !handle.isForgotten
        if isCommit { lastCommit = records.count }
        if isKept, !isCommit, let lastCommit { records[lastCommit].isKept = true }
        records.append(
            PlannedRecord(
                weight: isCommit ? UInt32(clamping: handle.storedBytes) : 0, isCommit: isCommit,
                isKept: isKept))
    }

    /// What each segment of a line gives at most; runs that are too long are cut.
    private static func gains(of records: inout [PlannedRecord], _ starts: [Int]) -> [UInt64] {
        var gains = [UInt64](repeating: 0, count: starts.count - 1)
        var run: (start: Int, sum: UInt64, largest: UInt64) = (0, 0, 0)
        var segment = 0
        for index in records.indices {
            let weight = UInt64(records[index].weight)
            run = (run.start, run.sum + weight, max(run.largest, weight))
            if records[index].isCommit, index - run.start >= runLimit {
                records[index].isKept = true
            }
            let isEnd = index == records.count - 1
            guard records[index].isKept || isEnd else { continue }
            while starts[segment + 1] <= run.start { segment += 1 }
            let gain = records[index].isKept ? run.sum - run.largest : run.sum
            // A run that gives something takes all segments it reaches over along.
            var reached = segment
            while gain > 0, reached < gains.count, starts[reached] <= index {
                gains[reached] += reached == segment ? gain : 1
                reached += 1
            }
            run = (index + 1, 0, 0)
        }
        return gains
    }

    /// Ranges of adjacent segments that give something.
    private static func groups(of gains: [UInt64]) -> [Range<Int>] {
        var groups: [Range<Int>] = []
        for index in gains.indices where gains[index] > 0 {
            if let last = groups.last, last.upperBound == index {
                groups[groups.count - 1] = last.lowerBound..<index + 1
            } else {
                groups.append(index..<index + 1)
            }
        }
        return groups
    }

    private mutating func add(
        _ line: [Int], _ range: Range<Int>, _ records: [PlannedRecord], _ starts: [Int],
        gain: UInt64
    ) {
        let segments = line[range].map { summaries[$0] }
        let bytes = segments.reduce(0) { $0 + $1.storedBytes }
        guard gain >= bytes / 4 else { return }
        let part = records[starts[range.lowerBound]..<starts[range.upperBound]]
        jobs.append(
            MergeJob(
                stream: keeping.stream, segments: segments, isKept: part.map(\.isKept),
                isTail: range.upperBound == line.count, bytes: bytes, gain: gain))
    }
}
