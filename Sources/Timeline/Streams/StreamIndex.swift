package import Codec
import Platform
package import Repository

/// A record and where it lies.
package struct RecordHandle: Sendable, Hashable {
    package let record: Record
    /// The record's chain hash.
    package let chain: Digest
    package let segment: ObjectName
    /// Index of the record's blob in the segment's index.
    let entry: Int
    /// Index of the first blob that belongs to the record.
    let firstEntry: Int
}

/// One stream as the repository holds it.
package struct Stream: Sendable {
    package let identity: StreamIdentity
    /// Every record that was found, by its chain hash.
    package fileprivate(set) var records: [Digest: RecordHandle] = [:]

    /// The newest record: what an append continues.
    package var end: RecordHandle? {
        records.values.max { ($0.record.position, $0.chain) < ($1.record.position, $1.chain) }
    }

    /// The records from a complete base to `target`, in order; throws `damaged` where one is
    /// missing.
    package func path(to target: RecordHandle) throws -> [RecordHandle] {
        var path = [target]
        while let last = path.last, last.record.kind != .base {
            guard let previous = records[last.record.previous],
                previous.record.position.sequence < last.record.position.sequence
            else {
                throw RepositoryError(
                    .damaged,
                    "record \(last.record.position) of the stream of"
                        + " \(FilePath(bytes: identity.path)) leads to a record that is missing",
                    hint: "Run 'holdfast verify --read-data' to see which segment is hurt.")
            }
            path.append(previous)
        }
        return path.reversed()
    }

    /// The record at a position whose chain is `chain`; throws `damaged` where it is missing.
    package func record(at reference: DatabaseReference) throws -> RecordHandle {
        guard let handle = records[reference.chain], handle.record.position == reference.position
        else {
            throw RepositoryError(
                .damaged,
                "the state \(reference.position) of \(FilePath(bytes: identity.path)) is not in"
                    + " the repository",
                hint: "Run 'holdfast verify' to see which segment is missing.")
        }
        return handle
    }
}

/// All streams of a repository, from its segments.
package struct StreamIndex: Sendable {
    /// By stream id.
    package private(set) var streams: [[UInt8]: Stream] = [:]
    /// Segments that could not be read, with the reason.
    package private(set) var damaged: [(segment: ObjectName, reason: any Error)] = []

    /// Lists the segments and reads those that the catalogue has no note of.
    ///
    /// - Parameter left: names of segments to do as if they were not there.
    package init(of repository: Repository, leavingOut left: Set<String> = []) throws {
        let listed = try repository.place.list(.segments).filter { $0.name.isSealedName }
        let notes = try repository.catalogue.segmentNotes()
        let present = Set(listed.map(\.name.name))
        try repository.catalogue.removeNotes(of: notes.keys.filter { !present.contains($0) })
        let opener = BlobOpener(repository)
        for file in listed where !left.contains(file.name.name) {
            do {
                if let bytes = notes[file.name.name], let note = SegmentNote(bytes, size: file.size)
                {
                    add(note, of: file.name)
                    continue
                }
                let note = try SegmentReader(file.name, in: repository, with: opener).note()
                try repository.catalogue.note(segment: file.name.name, note.encoded)
                add(note, of: file.name)
            } catch let error as RepositoryError where error.code == .damaged {
                damaged.append((file.name, error))
            }
        }
    }

    /// The stream of a database, where there is one.
    package func stream(host: String, path: [UInt8]) -> Stream? {
        streams.values.first { $0.identity.host == host && $0.identity.path == path }
    }

    private mutating func add(_ note: SegmentNote, of segment: ObjectName) {
        let id = note.identity.stream
        var stream = streams[id] ?? Stream(identity: note.identity)
        var first = 1
        for (record, entry) in note.records {
            let handle = RecordHandle(
                record: record, chain: record.chain, segment: segment, entry: entry,
                firstEntry: first)
            stream.records[handle.chain] = handle
            first = entry + 1
        }
        streams[id] = stream
    }
}

/// What the catalogue keeps of a segment.
struct SegmentNote {
    let identity: StreamIdentity
    /// Bytes of the segment; another size means another file.
    let size: UInt64
    /// Records in order, each with the index of its blob.
    let records: [(record: Record, entry: Int)]

    init(identity: StreamIdentity, size: UInt64, records: [(record: Record, entry: Int)]) {
        self.identity = identity
        self.size = size
        self.records = records
    }

    var encoded: [UInt8] {
        var writer = ByteWriter()
        writer.write(varint: size)
        writer.write(counted: identity.encoded)
        writer.write(varint: UInt64(records.count))
        for (record, entry) in records {
            writer.write(varint: UInt64(entry))
            writer.write(counted: record.encoded)
        }
        return writer.bytes
    }

    /// Nil for a note that does not fit: the segment is read again.
    init?(_ bytes: [UInt8], size: UInt64) {
        do {
            var reader = ByteReader(bytes)
            guard try reader.varint() == size else { return nil }
            self.size = size
            identity = try StreamIdentity(decoding: try reader.counted(limit: 1 << 17))
            var records: [(record: Record, entry: Int)] = []
            for _ in 0..<(try reader.count(limit: 1 << 22, elementSize: 8)) {
                let entry = try reader.varint()
                guard entry < 1 << 22, entry > records.last?.entry ?? 0 else { return nil }
                let record = try Record(decoding: try reader.counted(limit: 4096))
                records.append((record, Int(entry)))
            }
            try reader.finish()
            self.records = records
        } catch {
            return nil
        }
    }
}
