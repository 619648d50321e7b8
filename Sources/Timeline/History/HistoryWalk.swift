import Codec
import Repository

/// Walks back through a stream from segment to segment, reading as few of them as possible.
struct HistoryWalk {
    let stream: Stream
    private let segments: StreamSegments

    init(_ stream: Stream) throws {
        self.stream = stream
        segments = try stream.segments()
    }

    /// A record, by its segment among the summaries and its number there.
    struct Spot {
        let segment: Int
        let index: Int
    }

    /// The last record of an epoch up to a sequence number.
    func tip(of epoch: UInt64, upTo limit: UInt64 = .max) throws -> (Spot, RecordHandle)? {
        let candidates = segments.summaries.indices.filter {
            let summary = segments.summaries[$0]
            return summary.epochRange.contains(epoch) && summary.sequences.lowerBound <= limit
        }.sorted {
            segments.summaries[$0].sequences.upperBound
                > segments.summaries[$1].sequences.upperBound
        }
        var best: (Spot, RecordHandle)?
        for candidate in candidates {
            let summary = segments.summaries[candidate]
            if let best, best.1.position.sequence > summary.sequences.upperBound { break }
            for handle in try stream.records(of: summary)
            where handle.position.epoch == epoch && handle.position.sequence <= limit {
                guard let known = best?.1 else {
                    best = (Spot(segment: candidate, index: handle.index), handle)
                    continue
                }
                if (known.position, known.chain) < (handle.position, handle.chain) {
                    best = (Spot(segment: candidate, index: handle.index), handle)
                }
            }
        }
        return best
    }

    /// The runs from a record back, oldest first; with `epoch` those of that epoch, also behind
    /// records that are missing, else all that lead to the record.
    func runs(to spot: Spot, epoch: UInt64?) throws -> [HistoryRun] {
        var runs: [HistoryRun] = []
        var current: Spot? = spot
        while let spot = current {
            let (run, previous, sequence) = try run(endingAt: spot, epoch: epoch)
            runs.append(run)
            current = try self.spot(of: previous, below: sequence, epoch: epoch)
            guard current == nil, previous != .zero, sequence > 0, let epoch else { continue }
            let begins = try stream.records(of: run.segment)[run.range.lowerBound].record
            if begins.kind == .epoch, begins.position.epoch == epoch { break }
            current = try tip(of: epoch, upTo: sequence - 1)?.0
            if current != nil { runs[runs.count - 1].isBroken = true }
        }
        return runs.reversed()
    }

    /// The longest run that ends at a record, and what it continues.
    private func run(
        endingAt spot: Spot, epoch: UInt64?
    ) throws -> (HistoryRun, previous: Digest, sequence: UInt64) {
        let summary = segments.summaries[spot.segment]
        if summary.isLinear, spot.index == summary.records - 1,
            epoch.map({ summary.epochRange == $0...$0 }) ?? true
        {
            return (HistoryRun(whole: summary), summary.previous, summary.first.sequence)
        }
        let records = try stream.records(of: summary)
        var first = spot.index
        while first > 0, records[first].continues(records[first - 1]),
            epoch.map({ records[first - 1].position.epoch == $0 }) ?? true
        {
            first -= 1
        }
        let run = HistoryRun(first...spot.index, of: summary, records)
        return (run, records[first].record.previous, records[first].position.sequence)
    }

    /// Where a record lies that is named by its chain hash; nil for one of another epoch.
    private func spot(of chain: Digest, below sequence: UInt64, epoch: UInt64?) throws -> Spot? {
        if let index = segments.ends[chain] {
            let summary = segments.summaries[index]
            guard summary.last.sequence < sequence, epoch.map({ summary.last.epoch == $0 }) ?? true
            else { return nil }
            return Spot(segment: index, index: summary.records - 1)
        }
        guard sequence > 0 else { return nil }
        for index in segments.summaries.indices
        where segments.summaries[index].sequences.contains(sequence - 1) {
            let records = try stream.records(of: segments.summaries[index])
            guard let handle = records.first(where: { $0.chain == chain }) else { continue }
            guard handle.position.sequence < sequence,
                epoch.map({ handle.position.epoch == $0 }) ?? true
            else { return nil }
            return Spot(segment: index, index: handle.index)
        }
        return nil
    }
}
