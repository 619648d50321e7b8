// Moves records from the journal into the repository.
//
// Order: parts are closed → their records are written to a segment → the segment is published,
// which makes it durable → it is read back as a whole → the parts are removed, oldest first. What
// interrupts this leaves a record in the journal, or in both: a record whose chain hash the
// repository has is not written again, and its part goes once the segment that has it was read
// back. A record is in no segment before the one it continues.
//
// A segment holds one run of records, each continuing the one before. A record that continues
// another (after a base, which goes to the repository by itself, or in a new epoch) begins the next
// segment.

import Codec
package import Repository

/// What sealing has moved into the repository.
package struct Sealed: Sendable, Hashable {
    /// Segments that were made and read back, in order.
    package fileprivate(set) var segments: [ObjectName] = []
    /// Bytes they have.
    package fileprivate(set) var bytes: UInt64 = 0
    /// Records in them; fewer than the journal had where the repository had some already.
    package fileprivate(set) var records = 0
    /// The last record of the journal that is in the repository now.
    package fileprivate(set) var end: JournalEnd
}

/// Seals one journal into one repository, under the lease that holds the claim on its stream; used
/// by one thread, while others append to the journal.
package final class Sealer {
    /// A segment that has as many bytes or records is complete.
    private static let segmentBytes: UInt64 = 64 << 20
    private static let segmentRecords = 1 << 16

    private let journal: Journal
    private let repository: Repository
    private let lease: HeldLease
    private let segmentBytes: UInt64
    private var writer: ChangeSetWriter
    private var stream: Stream?
    /// Segments that were read back, and whether they were whole.
    private var proved: [ObjectName: Bool] = [:]
    /// The last record that was written to a segment or found in one.
    private var end: JournalEnd?
    /// Whether it was written: then the repository has nothing behind it.
    private var isNewest = false
    private var open: (segment: SegmentWriter, records: Int)?
    private var made: [(pack: FinishedPack, records: Int)] = []
    /// Whether the last ``seal()`` came to its end.
    private var isComplete = true

    package init(
        of journal: Journal, into repository: Repository, under lease: HeldLease,
        segmentBytes: UInt64 = Sealer.segmentBytes
    ) {
        self.journal = journal
        self.repository = repository
        self.lease = lease
        self.segmentBytes = segmentBytes
        writer = ChangeSetWriter(Tools(repository, level: .fast))
    }

    /// Seals what a journal has now, once; who seals again and again keeps a sealer, which then
    /// need not look for what the repository has.
    package static func seal(
        _ journal: Journal, into repository: Repository, under lease: HeldLease
    ) throws -> Sealed? {
        try Sealer(of: journal, into: repository, under: lease).seal()
    }

    /// Seals what is in the journal now; nil where that is nothing.
    ///
    /// - Throws: `JournalError` with `detached` where a record continues none that the repository
    ///   has; what journal, repository and disk throw. Nothing is lost then: call again.
    package func seal() throws -> Sealed? {
        if !isComplete {
            // What was written may not have been published, and a prune may have moved the rest.
            (end, isNewest, stream) = (nil, false, nil)
        }
        isComplete = false
        made = []
        do {
            let sealed = try sealParts()
            isComplete = true
            return sealed
        } catch {
            discard()
            throw error
        }
    }

    private func sealParts() throws -> Sealed? {
        var parts = journal.rotate()[...]
        guard !parts.isEmpty else { return nil }
        while !parts.isEmpty {
            let round = Sealer.round(of: parts, bytes: segmentBytes)
            for part in round { try journal.changeSets(in: part) { try add($0) } }
            try finish()
            for part in round { try journal.remove(part) }
            parts = parts.dropFirst(round.count)
        }
        return end.map { end in
            Sealed(
                segments: made.map(\.pack.name), bytes: made.reduce(0) { $0 + $1.pack.size },
                records: made.reduce(0) { $0 + $1.records }, end: end)
        }
    }

    /// Removes the segment that a failure left half-written: a full repository needs the room.
    private func discard() {
        guard let (segment, _) = open else { return }
        open = nil
        do {
            try segment.discard(in: repository, under: lease)
        } catch {
            return  // the repository is away, or the lease gone; with the lease it goes
        }
    }

    /// As many of the oldest parts as fill a segment, at least one.
    private static func round(
        of parts: ArraySlice<JournalPart>, bytes: UInt64
    ) -> ArraySlice<JournalPart> {
        var sum: UInt64 = 0
        let more = parts.dropFirst().prefix { part in
            sum += part.size
            return sum + (parts.first?.size ?? 0) <= bytes
        }
        return parts.prefix(1 + more.count)
    }

    private func add(_ change: ChangeSet) throws {
        let here = JournalEnd(of: change.record)
        if !isNewest || change.record.previous != end?.chain {
            try finish()
            guard try !holds(here) else {
                (end, isNewest) = (here, false)
                return
            }
            try requireAttached(change.record)
        }
        let segment =
            try open?.segment ?? SegmentWriter(of: journal.identity, in: repository, under: lease)
        let records = open?.records ?? 0
        open = (segment, records)
        try writer.write(change, into: segment)
        open = (segment, records + 1)
        (end, isNewest) = (here, true)
        if segment.size >= segmentBytes || open?.records == Sealer.segmentRecords { try finish() }
    }

    /// Publishes the open segment and reads it back.
    private func finish() throws {
        guard let (segment, records) = open, let end else { return }
        let pending = try segment.finish()
        try pending.publish(in: repository, under: lease)
        let proof = try SegmentProof(reading: pending.pack.name, in: repository)
        guard proof.end == end, proof.records == records else {
            throw RepositoryError(
                .damaged, "\(pending.pack.name): it holds other records than were written")
        }
        open = nil
        proved[pending.pack.name] = true
        made.append((pending.pack, records))
    }

    /// Whether the repository has a record, in a segment that can be read.
    private func holds(_ record: JournalEnd) throws -> Bool {
        guard let handle = try handle(of: record) else { return false }
        if let known = proved[handle.segment] { return known }
        var isWhole = true
        do {
            _ = try SegmentProof(reading: handle.segment, in: repository)
        } catch let error as RepositoryError where error.code == .damaged {
            isWhole = false  // its records are written once more
        }
        proved[handle.segment] = isWhole
        return isWhole
    }

    private func requireAttached(_ record: Record) throws {
        guard record.previous != .zero, record.previous != end?.chain else { return }
        let sequence = record.kind == .epoch ? record.start.sequence : record.position.sequence - 1
        let previous = JournalEnd(
            position: Position(epoch: record.position.epoch, sequence: sequence),
            chain: record.previous)
        if let handle = try handle(of: previous), !handle.isForgotten { return }
        throw JournalError(
            .detached, journal.directory,
            "record \(record.position) continues one that the repository does not have",
            hint:
                "The next 'holdfast watch' sets it aside, and goes on with a comparison.")
    }

    /// Where the repository has a record; looks again where it was not there before.
    private func handle(of record: JournalEnd) throws -> RecordHandle? {
        if let known = try stream?.handle(of: record) { return known }
        stream = try StreamIndex(of: repository).streams[journal.identity.stream]
        return try stream?.handle(of: record)
    }
}

extension Stream {
    fileprivate func handle(of record: JournalEnd) throws -> RecordHandle? {
        try self.record(record.chain, near: record.position.sequence)
    }
}
