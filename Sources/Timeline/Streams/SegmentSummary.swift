// What the catalogue keeps of a segment, so that a history of ten million commits costs a summary
// a segment in memory: where in the stream it lies, when its records were seen, how many they are.
// Its records are read from the segment when they are needed.

import Codec
package import Platform
package import Repository

/// A segment's place in its stream and in time.
package struct SegmentSummary: Sendable, Hashable {
    /// The segment's number in the catalogue.
    package internal(set) var number: Int64 = 0
    /// Whether prune is going to delete the segment.
    var isMarked = false
    package let records: Int
    /// Commits and bases that show changes.
    package let commits: Int
    package let bases: Int
    package let gaps: Int
    package let epochs: Int
    /// Records of which only header and table hash are left.
    package let forgotten: Int
    /// Positions of the first and the last record.
    package let first: Position
    package let last: Position
    let sequences: ClosedRange<UInt64>
    let epochRange: ClosedRange<UInt64>
    package let firstSeen: Timestamp
    package let lastSeen: Timestamp
    package let earliest: Timestamp
    package let latest: Timestamp
    /// The chain hash before the first record, and at the last.
    let previous: Digest
    let chain: Digest
    /// Each record continues the one before it in the segment.
    let isLinear: Bool
    /// No record was seen before the one that precedes it.
    let isOrdered: Bool
    package let storedBytes: UInt64
    /// The clocks at the first and the last record, and whether all between are of one boot.
    let firstDated: DatedMoment
    let lastDated: DatedMoment
    let isOneBoot: Bool
    /// Where the clock had jumped ahead between two of the records; nil where it had not.
    let jump: Timestamp?

    /// - Parameter handles: the segment's records in order, at least one.
    init?(of handles: [RecordHandle]) {
        guard let first = handles.first, let last = handles.last else { return nil }
        records = handles.count
        let kinds = handles.map(\.record.kind)
        commits = kinds.count { $0 == .commit }
        bases = kinds.count { $0 == .base }
        gaps = kinds.count { $0 == .gap }
        epochs = kinds.count { $0 == .epoch }
        forgotten = handles.count(where: \.isForgotten)
        self.first = first.position
        self.last = last.position
        let seen = handles.map(\.record.seen.wall)
        let sequences = handles.map(\.position.sequence)
        let epochs = handles.map(\.position.epoch)
        self.sequences =
            (sequences.min() ?? 0)...(sequences.max() ?? 0)
        epochRange = (epochs.min() ?? 0)...(epochs.max() ?? 0)
        firstSeen = first.record.seen.wall
        lastSeen = last.record.seen.wall
        earliest = seen.min() ?? firstSeen
        latest = seen.max() ?? lastSeen
        previous = first.record.previous
        chain = last.chain
        let pairs = zip(handles, handles.dropFirst())
        isLinear = pairs.allSatisfy { $1.continues($0) }
        isOrdered = zip(seen, seen.dropFirst()).allSatisfy { $0 <= $1 }
        storedBytes = handles.reduce(0) { $0 + $1.storedBytes }
        firstDated = first.record.dated
        lastDated = last.record.dated
        isOneBoot = handles.allSatisfy { $0.record.seen.bootID == last.record.seen.bootID }
        jump =
            pairs.first { TimeCheck.hasJumped($0.record.dated, $1.record.dated) }?
            .1.record.seen.wall
    }
}

extension Record {
    /// When the record was seen, by both clocks.
    var dated: DatedMoment {
        DatedMoment(wall: seen.wall, boot: seen.boot, bootID: seen.bootID)
    }
}

extension RecordHandle {
    /// Whether this is the record just behind another.
    func continues(_ other: RecordHandle) -> Bool {
        record.previous == other.chain && position.sequence > other.position.sequence
    }
}

extension SegmentSummary {
    var encoded: [UInt8] {
        var writer = ByteWriter(capacity: 256)
        for number in [records, commits, bases, gaps, epochs, forgotten] {
            writer.write(varint: UInt64(number))
        }
        for number in [
            first.epoch, first.sequence, last.epoch, last.sequence, sequences.lowerBound,
            sequences.upperBound, epochRange.lowerBound, epochRange.upperBound, storedBytes,
        ] {
            writer.write(varint: number)
        }
        for moment in [firstSeen, lastSeen, earliest, latest] { writer.write(moment: moment) }
        writer.write(digest: previous)
        writer.write(digest: chain)
        for moment in [firstDated, lastDated] {
            writer.write(moment: moment.wall)
            writer.write(varint: moment.boot ?? 0)
            writer.write(bytes: moment.bootID)
        }
        writer.write(
            u8: (isLinear ? 1 : 0) | (isOrdered ? 2 : 0) | (isOneBoot ? 4 : 0)
                | (jump == nil ? 0 : 8))
        if let jump { writer.write(moment: jump) }
        return writer.bytes
    }

    init(decoding bytes: [UInt8], number: Int64) throws(FormatError) {
        var reader = ByteReader(bytes)
        self.number = number
        records = try reader.small()
        commits = try reader.small()
        bases = try reader.small()
        gaps = try reader.small()
        epochs = try reader.small()
        forgotten = try reader.small()
        first = Position(epoch: try reader.varint(), sequence: try reader.varint())
        last = Position(epoch: try reader.varint(), sequence: try reader.varint())
        sequences = try reader.range()
        epochRange = try reader.range()
        storedBytes = try reader.varint()
        firstSeen = try reader.moment()
        lastSeen = try reader.moment()
        earliest = try reader.moment()
        latest = try reader.moment()
        previous = try reader.digest()
        chain = try reader.digest()
        firstDated = try reader.dated()
        lastDated = try reader.dated()
        let flags = try reader.u8()
        isLinear = flags & 1 != 0
        isOrdered = flags & 2 != 0
        isOneBoot = flags & 4 != 0
        jump = flags & 8 != 0 ? try reader.moment() : nil
        try reader.finish()
        guard records > 0 else { throw FormatError("a segment without a record") }
    }
}

extension ByteReader {
    fileprivate mutating func small() throws(FormatError) -> Int {
        let number = try varint()
        guard number < 1 << 22 else { throw FormatError("count out of range") }
        return Int(number)
    }

    fileprivate mutating func dated() throws(FormatError) -> DatedMoment {
        DatedMoment(wall: try moment(), boot: try varint(), bootID: try bytes(16))
    }

    fileprivate mutating func range() throws(FormatError) -> ClosedRange<UInt64> {
        let (low, high) = (try varint(), try varint())
        guard low <= high else { throw FormatError("range out of order") }
        return low...high
    }
}

/// The part of what the catalogue keeps of a segment that is read for few of them.
struct SegmentNote {
    let identity: StreamIdentity
    /// The record with the newest position.
    let newest: RecordHandle
    /// Bases, gaps and epochs, in order; nil where they are too many to be noted.
    let landmarks: [RecordHandle]?

    private static let landmarkLimit = 256

    /// - Parameter handles: the segment's records in order, at least one.
    init?(_ identity: StreamIdentity, of handles: [RecordHandle]) {
        guard
            let newest = handles.max(by: { ($0.position, $0.chain) < ($1.position, $1.chain) })
        else { return nil }
        self.identity = identity
        self.newest = newest
        let landmarks = handles.filter { $0.record.isLandmark }
        self.landmarks = landmarks.count <= SegmentNote.landmarkLimit ? landmarks : nil
    }

    var encoded: [UInt8] {
        var writer = ByteWriter()
        writer.write(counted: identity.encoded)
        newest.encode(into: &writer)
        writer.write(u8: landmarks == nil ? 0 : 1)
        writer.write(varint: UInt64(landmarks?.count ?? 0))
        for landmark in landmarks ?? [] { landmark.encode(into: &writer) }
        return writer.bytes
    }

    init(decoding bytes: [UInt8], of segment: ObjectName) throws(FormatError) {
        var reader = ByteReader(bytes)
        identity = try StreamIdentity(decoding: try reader.counted(limit: 1 << 17))
        newest = try RecordHandle(from: &reader, in: segment)
        let isNoted = try reader.u8() != 0
        var landmarks: [RecordHandle] = []
        for _ in 0..<(try reader.count(limit: SegmentNote.landmarkLimit, elementSize: 1)) {
            landmarks.append(try RecordHandle(from: &reader, in: segment))
        }
        self.landmarks = isNoted ? landmarks : nil
        try reader.finish()
    }
}

extension Record {
    /// Whether the record is more than one of many commits.
    var isLandmark: Bool { [.base, .gap, .epoch].contains(kind) }
}
