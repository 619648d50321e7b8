import Codec
import Repository
import Synchronization

/// Reads the records of segments when they are needed, and keeps those that were used last.
final class RecordStore: Sendable {
    private struct State {
        let opener: BlobOpener
        /// Records of segments, the one used last at the end.
        var known: [(segment: ObjectName, records: [RecordHandle])] = []
        var count = 0
    }

    /// Records that are kept; a segment that has more is kept alone.
    private static let recordLimit = 1 << 15

    let repository: Repository
    private let left: Set<String>
    private let state: Mutex<State>

    /// - Parameter left: names of segments to do as if they were not there.
    init(of repository: Repository, leavingOut left: Set<String>) {
        self.repository = repository
        self.left = left
        state = Mutex(State(opener: BlobOpener(repository)))
    }

    /// The records of a segment, in its order.
    func records(of segment: ObjectName) throws -> [RecordHandle] {
        try state.withLock { state in
            if let index = state.known.lastIndex(where: { $0.segment == segment }) {
                let found = state.known.remove(at: index)
                state.known.append(found)
                return found.records
            }
            let records = try read(segment, with: state.opener)
            while state.count + records.count > RecordStore.recordLimit, !state.known.isEmpty {
                state.count -= state.known.removeFirst().records.count
            }
            state.known.append((segment: segment, records: records))
            state.count += records.count
            return records
        }
    }

    private func read(_ segment: ObjectName, with opener: BlobOpener) throws -> [RecordHandle] {
        do {
            return try SegmentReader(segment, in: repository, with: opener).records()
        } catch let error as RepositoryError where error.code == .damaged {
            // It was whole when it was noted: the next look at the streams does without it.
            try repository.catalogue.removeNotes(of: [segment.name])
            throw error
        }
    }

    /// The summaries of a stream's segments, by their newest positions.
    func summaries(of stream: [UInt8]) throws -> [SegmentSummary] {
        try repository.catalogue.segmentSummaries(of: stream).filter {
            !left.contains($0.name)
        }.map {
            var summary = try SegmentSummary(decoding: $0.summary, number: $0.number)
            summary.isMarked = repository.marks.contains($0.name)
            return summary
        }
    }

    func segment(_ number: Int64) throws -> (name: ObjectName, note: SegmentNote) {
        guard let found = try repository.catalogue.segment(number) else {
            throw RepositoryError(
                .damaged, "a segment of the stream was removed meanwhile",
                hint: "Run the command again.")
        }
        let name = ObjectName(.segments, found.name)
        return (name, try SegmentNote(decoding: found.note, of: name))
    }

    /// The records of a segment that is known by its summary.
    func records(of summary: SegmentSummary) throws -> [RecordHandle] {
        let records = try records(of: try segment(summary.number).name)
        guard records.count == summary.records else {
            throw RepositoryError(.damaged, "a segment has other records than were noted")
        }
        return records
    }
}
