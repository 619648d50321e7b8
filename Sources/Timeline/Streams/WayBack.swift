// The way back from a record to a complete base. A record may lie in several segments: a prune that
// forgot states wrote those that it kept to a new segment, and the old ones wait until nobody reads
// them. So the same record may be whole in one and forgotten in another, and not every copy has a
// way back: a plain record behind a forgotten one has none. Of several copies the one that stands
// for most others is gone through, of those first that are not marked; and where its way back is
// lost, the next.

import Codec
import Repository
import Synchronization

/// A record's place among the segments of a stream.
struct RecordSpot: Sendable, Hashable {
    /// Index among the summaries.
    let segment: Int
    /// The record's number in the segment.
    let index: Int
}

/// What was found out about ways back.
final class WaysBack: Sendable {
    private struct State {
        /// Whether what such a record continues can be put together.
        var reached: [RecordSpot: Bool] = [:]
        /// Which records of the segment that was asked for last can be.
        var last: (segment: Int, isRestorable: [Bool])?
    }

    private let state = Mutex(State())

    fileprivate subscript(spot: RecordSpot) -> Bool? {
        get { state.withLock { $0.reached[spot] } }
        set { state.withLock { $0.reached[spot] = newValue } }
    }

    fileprivate func restorable(in segment: Int, _ find: () throws -> [Bool]) rethrows -> [Bool] {
        if let known = state.withLock({ $0.last }), known.segment == segment {
            return known.isRestorable
        }
        let found = try find()
        state.withLock { $0.last = (segment, found) }
        return found
    }
}

/// Where the records that lead to one begin within its segment.
enum WayBegin {
    /// A base, by its number in the segment.
    case base(Int)
    /// A record that continues one of another segment, by its number.
    case goesOn(Int)
    /// Nowhere: what the record builds on was forgotten.
    case lost
}

extension Stream {
    func record(at spot: RecordSpot) throws -> RecordHandle {
        try store.records(of: segments().summaries[spot.segment])[spot.index]
    }

    func begin(of spot: RecordSpot) throws -> WayBegin {
        let summary = try segments().summaries[spot.segment]
        if summary.isLinear, summary.bases == 0, summary.forgotten == 0 { return .goesOn(0) }
        let records = try store.records(of: summary)
        var covered = 0
        for index in (0...spot.index).reversed() {
            let handle = records[index]
            if handle.isForgotten {
                guard covered > 0 else { return .lost }
                covered -= 1
            }
            if handle.record.kind == .base { return .base(index) }
            covered += handle.covered
            if index == 0 || !handle.continues(records[index - 1]) {
                return covered == 0 ? .goesOn(index) : .lost
            }
        }
        return .lost
    }

    /// The places of a record, those where it is forgotten left out; the best comes first.
    func copies(of chain: Digest, at sequence: UInt64) throws -> [RecordSpot] {
        let segments = try segments()
        var found: [(spot: RecordSpot, rank: (Int, Int, Int))] = []
        for segment in segments.reaching(over: sequence) {
            let summary = segments.summaries[segment]
            let index: Int?
            if summary.isLinear, summary.sequences.upperBound == sequence, summary.forgotten == 0 {
                index = summary.chain == chain ? summary.records - 1 : nil
            } else {
                index = try store.records(of: summary).firstIndex {
                    $0.chain == chain && !$0.isForgotten
                }
            }
            guard let index else { continue }
            let covered =
                summary.forgotten == 0 ? 0 : try store.records(of: summary)[index].covered
            let rank = (summary.isMarked ? 0 : 1, covered, summary.forgotten)
            found.append((RecordSpot(segment: segment, index: index), rank))
        }
        return found.sorted { $0.rank > $1.rank }.map(\.spot)
    }

    /// The places of the record that the first one of a line continues.
    func predecessors(of spot: RecordSpot) throws -> [RecordSpot] {
        let summary = try segments().summaries[spot.segment]
        let first: (previous: Digest, sequence: UInt64)
        if spot.index == 0 {
            first = (summary.previous, summary.first.sequence)
        } else {
            let handle = try record(at: spot)
            first = (handle.record.previous, handle.position.sequence)
        }
        guard first.previous != .zero, first.sequence > 0 else { return [] }
        return try copies(of: first.previous, at: first.sequence - 1)
    }

    /// Whether the state after the record at a place can be put together from what is there.
    func isRestorable(_ spot: RecordSpot) throws -> Bool {
        switch try begin(of: spot) {
        case .base: true
        case .goesOn(let index): try isReached(RecordSpot(segment: spot.segment, index: index))
        case .lost: false
        }
    }

    /// Whether what the first record of a line continues can be put together.
    private func isReached(_ first: RecordSpot) throws -> Bool {
        // No recursion: a way back may lead through very many segments.
        var stack = [first]
        while let spot = stack.last {
            guard waysBack[spot] == nil else {
                stack.removeLast()
                continue
            }
            var isReached = false
            var open: RecordSpot?
            for candidate in try predecessors(of: spot) where !isReached && open == nil {
                switch try begin(of: candidate) {
                case .base: isReached = true
                case .lost: continue
                case .goesOn(let index):
                    let begin = RecordSpot(segment: candidate.segment, index: index)
                    if let known = waysBack[begin] { isReached = known } else { open = begin }
                }
            }
            if let open { stack.append(open) } else { waysBack[spot] = isReached }
        }
        return waysBack[first] ?? false
    }
}

extension Stream {
    /// The best place of a record from which there is a way back to a base.
    func restorableCopy(of chain: Digest, at sequence: UInt64) throws -> RecordSpot? {
        try copies(of: chain, at: sequence).first { try isRestorable($0) }
    }

    /// Whether the state after a record can be put together from what is there.
    package func isRestorable(_ handle: RecordHandle) throws -> Bool {
        try restorableCopy(of: handle.chain, at: handle.position.sequence) != nil
    }

    /// Which records of a segment have a state that can be put together, a gap's being the one
    /// before it.
    func restorable(in segment: Int) throws -> [Bool] {
        try waysBack.restorable(in: segment) {
            let records = try store.records(of: segments().summaries[segment])
            var found: [Bool] = []
            for (index, handle) in records.enumerated() {
                let first = index - handle.covered
                if handle.isForgotten {
                    found.append(false)
                } else if handle.record.kind == .base {
                    found.append(true)
                } else if first > 0, records[first].continues(records[first - 1]) {
                    found.append(found[first - 1])
                } else {
                    found.append(try isReached(RecordSpot(segment: segment, index: max(0, first))))
                }
            }
            return found
        }
    }

    /// The records from a complete base to `target`, in order; throws `damaged` where one is
    /// missing.
    package func path(to target: RecordHandle) throws -> RecordPath {
        guard var spot = try restorableCopy(of: target.chain, at: target.position.sequence) else {
            throw lost(target)
        }
        var runs: [RecordPath.Run] = []
        let last = try record(at: spot)
        while true {
            let records = try store.records(of: segments().summaries[spot.segment])
            let segment = records[spot.index].segment
            switch try begin(of: spot) {
            case .base(let index):
                runs.append(RecordPath.Run(segment: segment, range: index...spot.index))
                return RecordPath(
                    runs: runs.reversed(), store: store, first: records[index], last: last)
            case .goesOn(let index):
                runs.append(RecordPath.Run(segment: segment, range: index...spot.index))
                let first = RecordSpot(segment: spot.segment, index: index)
                let next = try predecessors(of: first).first { try isRestorable($0) }
                guard let next else { throw lost(records[index]) }
                spot = next
            case .lost: throw lost(records[spot.index])
            }
        }
    }

    func lost(_ handle: RecordHandle) -> RepositoryError {
        handle.isForgotten
            ? RepositoryError(
                .damaged, "the state \(handle.position) of \(path) was forgotten by a prune",
                hint: "See what can be restored with 'holdfast history'.")
            : RepositoryError(
                .damaged,
                "record \(handle.position) of the stream of \(path) leads to a record that is"
                    + " missing or was forgotten",
                hint: "Run 'holdfast verify --read-data' to see which segment is hurt.")
    }
}
