import Codec
import Platform
package import Repository

/// All streams of a repository, from its segments.
///
/// The catalogue keeps what is known of each segment; records stay in the segments until they are
/// needed, so that memory does not grow with the number of commits.
package struct StreamIndex: Sendable {
    /// By stream id.
    package private(set) var streams: [[UInt8]: Stream] = [:]
    /// Segments that could not be read; the streams are as if they were not there.
    package private(set) var damaged: [HurtSegment] = []

    /// Lists the segments and reads those that the catalogue has no note of.
    ///
    /// - Parameter left: names of segments to do as if they were not there.
    package init(of repository: Repository, leavingOut left: Set<String> = []) throws {
        try fillCatalogue(of: repository)
        do {
            try readStreams(of: repository, leavingOut: left)
        } catch is FormatError {
            // Nothing in the catalogue is the truth: it is made anew.
            let noted = try repository.catalogue.segmentSizes()
            try repository.catalogue.removeNotes(of: Array(noted.keys))
            damaged = []
            try fillCatalogue(of: repository)
            try readStreams(of: repository, leavingOut: left)
        }
    }

    private mutating func readStreams(
        of repository: Repository, leavingOut left: Set<String>
    ) throws {
        let left = left.union(damaged.map(\.name.name))
        let store = RecordStore(of: repository, leavingOut: left)
        for id in try repository.catalogue.streams() {
            var notes: [SegmentNote] = []
            for (name, note) in try repository.catalogue.newestNotes(of: id, leavingOut: left) {
                notes.append(try SegmentNote(decoding: note, of: ObjectName(.segments, name)))
            }
            guard let newest = notes.max(by: { $0.newest.chain < $1.newest.chain }) else {
                continue
            }
            streams[id] = Stream(
                newest.identity, end: newest.newest, store: store,
                hurt: damaged.filter { $0.identity?.stream == id })
        }
    }

    /// The stream of a database, where there is one.
    package func stream(host: String, path: [UInt8]) -> Stream? {
        streams.values.first { $0.identity.host == host && $0.identity.path == path }
    }

    /// Brings the catalogue in line with the segments that lie in the place.
    private mutating func fillCatalogue(of repository: Repository) throws {
        // Before the listing, so that what another process notes meanwhile is not taken for gone.
        var noted = try repository.catalogue.segmentSizes()
        let opener = BlobOpener(repository)
        for file in try repository.place.list(.segments) where file.name.isSealedName {
            if noted.removeValue(forKey: file.name.name) == file.size { continue }
            do {
                let reader = try SegmentReader(file.name, in: repository, with: opener)
                try repository.catalogue.note(reader.row(size: file.size))
            } catch let error as RepositoryError where error.code == .damaged {
                damaged.append(
                    try HurtSegment(file.name, because: error, in: repository, with: opener))
            } catch let error as RepositoryError where error.code == .absent {
                continue  // it has gone since it was listed
            }
        }
        try repository.catalogue.removeNotes(of: Array(noted.keys))
    }
}

extension SegmentReader {
    /// What the catalogue is to keep of the segment.
    fileprivate func row(size: UInt64) throws -> SegmentRow {
        let identity = try identity()
        let handles = try records()
        guard let summary = SegmentSummary(of: handles),
            let note = SegmentNote(identity, of: handles)
        else { throw RepositoryError(.damaged, "\(pack.name): a segment without a record") }
        return SegmentRow(
            name: pack.name.name, size: size, stream: identity.stream, newest: note.newest.position,
            summary: summary.encoded, note: note.encoded)
    }
}
