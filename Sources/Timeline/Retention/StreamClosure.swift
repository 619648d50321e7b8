import Codec
import Platform
import Repository

/// Finds what records of one stream need: their way back to complete bases.
///
/// Of a record that lies in several segments one copy is needed, from which there is a way back;
/// one in a segment that is not marked, where there is one.
struct StreamClosure {
    /// A view of the stream, and what of it is needed.
    private struct Source {
        let stream: Stream
        /// The highest number of a needed record, by segment.
        var needed: [Int: Int] = [:]
        /// Beginnings from which the way back was gone already.
        var gone: Set<RecordSpot> = []
    }

    let whole: Stream
    /// That without marked segments first, if there is any; then all of the stream.
    private var sources: [Source]
    private(set) var bases: Set<RecordHandle> = []

    init(of whole: Stream, unmarked: Stream?) {
        self.whole = whole
        sources = [unmarked, whole].compactMap { $0 }.map { Source(stream: $0) }
    }

    /// The stream without marked segments, and what of it is needed.
    var unmarked: (stream: Stream, needed: [Int: Int])? {
        sources.count == 2 ? (sources[0].stream, sources[0].needed) : nil
    }

    /// Records that are needed.
    var count: Int { sources.reduce(0) { $0 + $1.needed.values.reduce(0) { $0 + $1 + 1 } } }

    /// The segments that are needed.
    func names() throws -> Set<ObjectName> {
        var names: Set<ObjectName> = []
        for source in sources {
            let summaries = try source.stream.summaries()
            for segment in source.needed.keys {
                names.insert(try source.stream.name(of: summaries[segment]))
            }
        }
        return names
    }

    mutating func add(
        window start: Timestamp, named: [DatabaseReference], end: RecordHandle,
        marks: Set<String>
    ) throws {
        try addWindow(from: start, marks)
        for reference in named {
            try add(reference.chain, at: reference.position.sequence)
        }
        try add(end.chain, at: end.position.sequence)
    }

    // MARK: The window

    private mutating func addWindow(from start: Timestamp, _ marks: Set<String>) throws {
        for source in sources.indices {
            let stream = sources[source].stream
            for (segment, summary) in try stream.summaries().enumerated()
            where summary.latest >= start {
                let name = try stream.name(of: summary).name
                // What is not marked was looked at in the first source.
                guard source == 0 || sources.count == 1 || marks.contains(name) else { continue }
                try addWindow(
                    from: start, RecordSpot(segment: segment, index: summary.records - 1), summary,
                    source, isMarked: marks.contains(name))
            }
        }
    }

    private mutating func addWindow(
        from start: Timestamp, _ last: RecordSpot, _ summary: SegmentSummary, _ source: Int,
        isMarked: Bool
    ) throws {
        let isOneLine = summary.isLinear && summary.bases == 0 && summary.forgotten == 0
        if isOneLine, summary.earliest >= start, !isMarked {
            return try add(last, in: source)
        }
        let records = try sources[source].stream.records(of: summary)
        for handle in records.reversed() where handle.record.seen.wall >= start {
            if handle.record.kind == .base, handle.record.seen.wall > start {
                // The state in which the window begins may lie before a base.
                try addState(before: handle)
            }
            guard !handle.isForgotten else { continue }
            if isMarked {
                try add(handle.chain, at: handle.position.sequence)
            } else {
                try add(RecordSpot(segment: last.segment, index: handle.index), in: source)
            }
            if isOneLine, !isMarked { return }
        }
    }

    private mutating func addState(before base: RecordHandle) throws {
        guard base.record.previous != .zero, base.position.sequence > 0 else { return }
        try add(base.record.previous, at: base.position.sequence - 1)
    }

    // MARK: Ways back

    /// Adds a record, wherever it can be restored from; where nothing leads back from it, as much
    /// of it as is there.
    private mutating func add(_ chain: Digest, at sequence: UInt64) throws {
        for source in sources.indices {
            let stream = sources[source].stream
            if let spot = try stream.restorableCopy(of: chain, at: sequence) {
                return try add(spot, in: source)
            }
        }
        guard let last = sources.indices.last else { return }
        for spot in try sources[last].stream.copies(of: chain, at: sequence) {
            try add(spot, in: last)
        }
    }

    /// Adds the record at a place with its way back, as far as that is there.
    private mutating func add(_ spot: RecordSpot, in source: Int) throws {
        var open = [spot]
        while let spot = open.popLast() {
            let stream = sources[source].stream
            sources[source].needed[spot.segment] = max(
                sources[source].needed[spot.segment] ?? 0, spot.index)
            switch try stream.begin(of: spot) {
            case .lost: continue
            case .base(let index):
                bases.insert(
                    try stream.record(at: RecordSpot(segment: spot.segment, index: index)))
            case .goesOn(let index):
                let begin = RecordSpot(segment: spot.segment, index: index)
                guard sources[source].gone.insert(begin).inserted else { continue }
                let before = try stream.predecessors(of: begin)
                if let best = try before.first(where: { try stream.isRestorable($0) }) {
                    open.append(best)
                } else {
                    open += before
                }
            }
        }
    }
}
