// The history of a stream: its records in the order in which their states were there. Epochs
// follow one another by their numbers. Where a database went back, or was restored, the old epoch
// answers until the moment at which the new one began, also with records behind the place where the
// new one starts. After a promotion it ends at that place: what lies behind it was never
// acknowledged, and is reached as a branch.

import Codec
package import Platform
import Repository

/// The history of one stream, or one branch of it.
package struct History: Sendable {
    package let stream: Stream
    /// Oldest first.
    package let runs: [HistoryRun]
    /// By epochs; of an epoch the line that counts first.
    package let branches: [HistoryBranch]

    /// A record's place in the history.
    package struct Place: Sendable, Hashable {
        let run: Int
        let index: Int
    }

    /// What counted, at each moment.
    package init(of stream: Stream) throws {
        self.stream = stream
        let walk = try HistoryWalk(stream)
        var runs: [HistoryRun] = []
        var branches: [HistoryBranch] = []
        let (begins, fences) = try History.begins(of: stream)
        for epoch in try History.epochs(of: stream) {
            guard let (_, tip) = try walk.tip(of: epoch) else { continue }
            let fence = fences[epoch].flatMap { $0 < tip.position.sequence ? $0 : nil }
            branches.append(
                HistoryBranch(
                    name: "\(epoch)", epoch: epoch, begin: begins[epoch], tip: tip, fence: fence))
            guard let (spot, _) = try walk.tip(of: epoch, upTo: fence ?? .max) else { continue }
            let line = try walk.runs(to: spot, epoch: epoch)
            branches += try History.others(epoch, beside: line, tip: tip, of: stream, walk)
            runs += line
        }
        self.runs = runs
        self.branches = branches
    }

    /// One line of history, from its beginning to its tip.
    package init(of stream: Stream, branch: HistoryBranch, among branches: [HistoryBranch]) throws {
        self.stream = stream
        self.branches = branches
        let walk = try HistoryWalk(stream)
        runs = try walk.spot(of: branch.tip).map { try walk.runs(to: $0, epoch: nil) } ?? []
    }

    /// All epochs, ascending.
    private static func epochs(of stream: Stream) throws -> [UInt64] {
        var epochs: Set<UInt64> = []
        for summary in try stream.summaries() {
            epochs.insert(summary.epochRange.lowerBound)
            epochs.insert(summary.epochRange.upperBound)
            guard summary.epochRange.count > 2 else { continue }
            epochs.formUnion(try stream.records(of: summary).map(\.position.epoch))
        }
        return epochs.sorted()
    }

    /// The records with which epochs began, and the last sequence numbers of those that a promotion
    /// ended.
    private static func begins(
        of stream: Stream
    ) throws -> ([UInt64: RecordHandle], [UInt64: UInt64]) {
        var begins: [UInt64: RecordHandle] = [:]
        var fences: [UInt64: UInt64] = [:]
        for summary in try stream.summaries() where summary.epochs > 0 {
            for handle in try stream.landmarks(of: summary) where handle.record.kind == .epoch {
                begins[handle.position.epoch] = handle
                guard handle.record.cause == .promoted else { continue }
                let start = handle.record.start
                fences[start.epoch] = min(fences[start.epoch] ?? .max, start.sequence)
            }
        }
        return (begins, fences)
    }

    /// Lines of an epoch that are not the one that counts: two hosts wrote it, or a copy came in.
    private static func others(
        _ epoch: UInt64, beside line: [HistoryRun], tip: RecordHandle, of stream: Stream,
        _ walk: HistoryWalk
    ) throws -> [HistoryBranch] {
        var seen = Set(line.map(\.segment.number))
        var branches: [HistoryBranch] = []
        for summary in try stream.summaries().reversed()
        where summary.epochRange.contains(epoch) && !seen.contains(summary.number) {
            guard
                let last = try stream.records(of: summary).last(where: {
                    $0.position.epoch == epoch
                }), last.chain != tip.chain, let spot = try walk.spot(of: last)
            else { continue }
            let runs = try walk.runs(to: spot, epoch: epoch)
            seen.formUnion(runs.map(\.segment.number))
            guard try !holds(line, last, stream), last.position.sequence <= tip.position.sequence
            else { continue }
            branches.append(
                HistoryBranch(
                    name: "\(epoch)-\(last.chain.hex.prefix(8))", epoch: epoch, begin: nil,
                    tip: last, fence: nil))
        }
        return branches
    }

    /// Whether a line has a record, perhaps in another segment; what a promotion cut off the tip's
    /// own line counts as had.
    private static func holds(
        _ line: [HistoryRun], _ record: RecordHandle, _ stream: Stream
    ) throws -> Bool {
        let sequence = record.position.sequence
        guard let last = line.last, sequence <= last.summary.sequences.upperBound else {
            return true
        }
        return try line.contains { run in
            try run.summary.sequences.contains(sequence)
                && stream.records(of: run.segment)[run.range].contains { $0.chain == record.chain }
        }
    }
}

// Going through the records.
extension History {
    package var isEmpty: Bool { runs.isEmpty }

    package var first: Place? {
        runs.isEmpty ? nil : Place(run: 0, index: runs[0].range.lowerBound)
    }

    package var last: Place? {
        runs.last.map { Place(run: runs.count - 1, index: $0.range.upperBound - 1) }
    }

    package func record(at place: Place) throws -> RecordHandle {
        try stream.records(of: runs[place.run].segment)[place.index]
    }

    package func place(after place: Place) -> Place? {
        if place.index + 1 < runs[place.run].range.upperBound {
            return Place(run: place.run, index: place.index + 1)
        }
        guard place.run + 1 < runs.count else { return nil }
        return Place(run: place.run + 1, index: runs[place.run + 1].range.lowerBound)
    }

    package func place(before place: Place) -> Place? {
        if place.index > runs[place.run].range.lowerBound {
            return Place(run: place.run, index: place.index - 1)
        }
        guard place.run > 0 else { return nil }
        return Place(run: place.run - 1, index: runs[place.run - 1].range.upperBound - 1)
    }

    /// Whether the state at a place can be put together: no prune has forgotten it or what it
    /// builds on.
    package func isRestorable(at place: Place) throws -> Bool {
        let number = runs[place.run].segment.number
        let segments = try stream.segments()
        guard let segment = segments.indexes[number] else { return false }
        if try stream.restorable(in: segment)[place.index] { return true }
        let handle = try record(at: place)
        // Another segment may have it still.
        return try segments.reaching(over: handle.position.sequence).count > 1
            && stream.isRestorable(handle)
    }

    /// Whether records are missing between others.
    package var hasHole: Bool { runs.contains(where: \.isBroken) }

    /// Whether records are missing that may lie behind the last one.
    package var mayEndLater: Bool { stream.mayEndLater(hasHole: hasHole) }

    /// Whether records between a place and the one before it are missing.
    package func isBroken(before place: Place) -> Bool {
        runs[place.run].isBroken && place.index == runs[place.run].range.lowerBound
    }

    /// Hands out the records that were seen within bounds, newest first, until `body` says no.
    package func forEachNewestFirst(
        from: Timestamp? = nil, to: Timestamp? = nil, _ body: (RecordHandle, Place) throws -> Bool
    ) throws {
        for number in runs.indices.reversed() {
            let run = runs[number]
            if let from, run.summary.latest < from { continue }
            if let to, run.summary.earliest > to { continue }
            let records = try stream.records(of: run.segment)
            for index in run.range.reversed() {
                let seen = records[index].record.seen.wall
                guard seen >= from ?? seen, seen <= to ?? seen else { continue }
                guard try body(records[index], Place(run: number, index: index)) else { return }
            }
        }
    }
}

extension HistoryWalk {
    /// Where a record lies that was read before.
    func spot(of handle: RecordHandle) throws -> Spot? {
        let summaries = try stream.summaries()
        for index in summaries.indices
        where summaries[index].sequences.contains(handle.position.sequence) {
            let records = try stream.records(of: summaries[index])
            guard handle.index < records.count, records[handle.index].chain == handle.chain else {
                continue
            }
            return Spot(segment: index, index: handle.index)
        }
        return nil
    }
}

extension History {
    /// Where a record lies in this history; nil where it is not part of it.
    package func place(of handle: RecordHandle) throws -> Place? {
        for number in runs.indices
        where runs[number].summary.sequences.contains(handle.position.sequence) {
            let records = try stream.records(of: runs[number].segment)
            if let index = runs[number].range.first(where: { records[$0].chain == handle.chain }) {
                return Place(run: number, index: index)
            }
        }
        return nil
    }
}

extension Stream {
    /// The record just before another that has a state which can be restored.
    package func state(before handle: RecordHandle) throws -> RecordHandle? {
        var current = try record(before: handle)
        while let record = current {
            if record.record.kind != .gap, try isRestorable(record) { return record }
            current = try self.record(before: record)
        }
        return nil
    }
}

extension History {
    /// Hands out bases, gaps and epochs, oldest first.
    package func forEachLandmark(_ body: (RecordHandle) throws -> Void) throws {
        for run in runs {
            for handle in try stream.landmarks(of: run.segment)
            where run.range.contains(handle.index) {
                try body(handle)
            }
        }
    }
}

extension HistoryRun {
    /// Tells the run's segment from others.
    package var number: Int64 { segment.number }
}
