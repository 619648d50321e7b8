// Records databases by comparison, as `backup` does: one state, read at one instant, appended to
// the database's stream as a base or as the pages that changed since the stream's end.
//
// In WAL mode the pages are read inside one read transaction, which holds nobody up. In
// rollback-journal modes a reader holds writers up; so all is read and hashed first without the
// lock, and under it only those groups are recorded again that differ by then.

import Codec
package import Platform
package import Repository

/// A database as it was captured.
package struct CapturedDatabase: Sendable {
    package let database: Snapshot.Database
    package let journalMode: JournalMode
    package let isBase: Bool
    /// Pages in the record that was appended; 0 where nothing had changed.
    package let changedPages: UInt32
    /// Nanoseconds for which writers were held up at the longest; 0 in WAL mode.
    package let longestHold: UInt64
    /// Whether a watch that records the database answered, and nothing was read of it here.
    package var isWatched = false
}

/// A look at a database that found it as a record has it.
struct LastLook {
    /// The record's chain.
    let chain: Digest
    let wall: Timestamp
}

/// Appends captured states to the streams of one host's databases, under one lease.
package final class DatabaseRecorder {
    /// A base and what follows it are this many records; then a complete base begins anew.
    package static let pathLimit = 64

    let repository: Repository
    let lease: HeldLease
    let store: BlobStore
    private let host: String
    let scratch: FilePath
    /// Nanoseconds to wait for another writer of the same stream.
    private let patience: UInt64
    let progress: () -> Void
    private var streams: StreamIndex
    var pending: [PendingSegment] = []
    private var claimed: Set<String> = []
    /// The states that restores were about to put back when they died, by the subject of the claim.
    private var interrupted: [String: PutBackState] = [:]
    /// The last look at which somebody saw a database as its stream's end has it.
    var lastLook: LastLook?

    /// - Parameters:
    ///   - scratch: a directory for nameless files.
    ///   - progress: called for each page group that was read of a database.
    package init(
        in repository: Repository, under lease: HeldLease, store: BlobStore, host: String,
        scratch: FilePath, patience: UInt64, progress: @escaping () -> Void = {}
    ) throws {
        self.progress = progress
        self.repository = repository
        self.lease = lease
        self.store = store
        self.host = host
        self.scratch = scratch
        self.patience = patience
        streams = try StreamIndex(of: repository)
    }

    /// Whether the repository still has all that makes up a state that an earlier snapshot names.
    package func holds(_ reference: DatabaseReference) throws -> Bool {
        guard let stream = streams.streams[reference.stream],
            let handle = try stream.find(reference)
        else { return false }
        return try !stream.storedPath(to: handle, in: repository).isEmpty
    }

    /// Whether the repository has all that makes up the end of a database's stream.
    func holdsEnd(of path: FilePath) throws -> Bool {
        guard let stream = stream(of: path), let end = stream.end else { return true }
        return try !stream.storedPath(to: end, in: repository).isEmpty
    }

    /// Captures a database.
    ///
    /// - Parameters:
    ///   - location: of an absolute path; the stream is known by that.
    ///   - known: what the parent snapshot recorded of it.
    /// - Throws: `CaptureError` where it cannot be read as one state; what a repository throws.
    package func capture(
        _ location: DatabaseLocation, known: Snapshot.Database?
    ) throws -> CapturedDatabase {
        let path = location.path
        guard path.bytes.count <= StreamIdentity.longestPath else {
            throw CaptureError(.notADatabase, path, "its path is longer than a stream can have")
        }
        if let database = try askWatch(for: path) {
            let isUnchanged = known?.reference.chain == database.reference.chain
            return CapturedDatabase(
                database: isUnchanged ? known ?? database : database, journalMode: .wal,
                isBase: false, changedPages: 0, longestHold: 0, isWatched: true)
        }
        let reader = try DatabaseReader(location)
        defer { reader.close() }
        do {
            return try capture(path, known: known, with: reader)
        } catch let error as CaptureError where error.code == .notADatabase {
            reader.closeUntouched()
            throw error
        }
    }

    /// The same with a reader that may hold its state; it stays open.
    ///
    /// - Parameter marksGap: says by a record of its own that commits were missed where anything
    ///   changed.
    func capture(
        _ path: FilePath, known: Snapshot.Database?, with reader: DatabaseReader,
        marksGap: Bool = false
    ) throws -> CapturedDatabase {
        if let known, try holds(known.reference),
            try reader.isUnchanged(since: known.reference.fingerprint)
        {
            return CapturedDatabase(
                database: known, journalMode: reader.journalMode, isBase: false, changedPages: 0,
                longestHold: 0)
        }
        try claim(path)
        if let state = interruptedRestore(of: path),
            let captured = try capturePutBack(path, to: state, with: reader)
        {
            interrupted[subject(of: path)] = nil
            return captured
        }
        let stream = streams.stream(host: host, path: path.bytes)
        let previous = try stream?.end.flatMap { try stream?.storedPath(to: $0, in: repository) }
        let capture = try captured(by: reader, after: previous)
        return try append(capture, to: stream, path: path, known: known, marksGap: marksGap)
    }

    /// Records a complete base of the state that the stream's end has, and that a reader holds.
    ///
    /// - Parameter looked: when the reader had not begun yet.
    func captureBase(
        _ path: FilePath, with reader: DatabaseReader, heldSince looked: Record.Moment
    ) throws -> CapturedDatabase {
        try claim(path)
        let capture = try captured(by: reader, after: nil)
        return try append(
            capture, to: stream(of: path), path: path, known: nil, heldSince: looked,
            marksGap: false)
    }

    /// The stream of a database as it was read last.
    func stream(of path: FilePath) -> Stream? { streams.stream(host: host, path: path.bytes) }

    /// Reads the streams again: this process has appended to one by other means.
    func reload() throws {
        streams = try StreamIndex(of: repository)
    }

    /// The state of now against the stream's end; a complete base where that end is damaged.
    private func captured(
        by reader: DatabaseReader, after previous: RecordPath?
    ) throws -> Capture {
        let capture = try Capture(
            reader: reader, previous: previous, repository: repository, store: store,
            scratch: scratch, progress: progress)
        do {
            try capture.run()
            return capture
        } catch let error as RepositoryError where error.code == .damaged && !capture.isBase {
            let base = try Capture(
                reader: reader, previous: nil, repository: repository, store: store,
                scratch: scratch, progress: progress)
            try base.run()
            return base
        }
    }

    /// What a watch of this host that records the database answers; nil where none does.
    private func askWatch(for path: FilePath) throws -> Snapshot.Database? {
        guard let holder = try StreamClaim.holder(of: subject(of: path), in: repository),
            holder.lease != lease.id
        else { return nil }
        return try BarrierExchange.ask(holder.lease, heldBy: holder.record, for: path)
    }

    private func subject(of path: FilePath) -> String {
        StreamClaim.subject(host: host, path: path.bytes, in: repository)
    }

    /// Makes this process the one writer of the database's stream, and reads the stream's end.
    func claim(_ path: FilePath) throws {
        let subject = subject(of: path)
        guard !claimed.contains(subject) else { return }
        let dead = try Claim.take(
            subject, what: "the stream of \(path)", in: repository, under: lease,
            patience: patience)
        try takeOver(path, from: dead)
    }

    /// Reads the end of a stream that the lease has claimed.
    ///
    /// - Parameter dead: what the claim's former holder said of itself, where it had died.
    func takeOver(_ path: FilePath, from dead: LeaseRecord?) throws {
        let subject = subject(of: path)
        claimed.insert(subject)
        streams = try StreamIndex(of: repository)
        if let dead, let stream = stream(of: path) {
            interrupted[subject] = try RestorePurpose(dead.purpose)?.state(
                in: stream, repository)
        }
    }

    /// The state that a restore may have put back before it died, having recorded nothing.
    func interruptedRestore(of path: FilePath) -> PutBackState? { interrupted[subject(of: path)] }

    private func append(
        _ capture: Capture, to stream: Stream?, path: FilePath, known: Snapshot.Database?,
        heldSince looked: Record.Moment? = nil, marksGap: Bool
    ) throws -> CapturedDatabase {
        let identity =
            stream?.identity
            ?? StreamIdentity(
                stream: repository.world.randomness.bytes(16), host: host, path: path.bytes)
        if looked == nil, let end = stream?.end, capture.isUnchanged(since: end.record) {
            return CapturedDatabase(capture, as: end.record, of: identity)
        }
        let segment = try SegmentWriter(of: identity, in: repository, under: lease)
        if let earlier = try stateGoneBackTo(capture, in: stream, known: known) {
            return try branch(at: earlier, capture, of: identity, after: stream?.end, in: segment)
        }
        let gap = marksGap ? try writeGap(capture, after: stream?.end, in: segment) : nil
        var draft = try beginEpoch(
            capture, after: gap ?? stream?.end.map { ($0.record, $0.chain) }, known: known,
            in: segment)
        if let looked, let end = stream?.end {
            draft.isCompared = false
            // Not when it was read: what was committed since the reader began comes behind it.
            draft.seen = end.record.seen.isAfter(looked) ? end.record.seen : looked
            draft.notBefore = looked.wall
        }
        var writer = RecordWriter(into: segment, geometry: capture.geometry)
        try capture.spool.forEach { try writer.add($0) }
        let record = try writer.finish(draft)
        let isNew =
            record.tableCount > 0 || stream?.end?.record.pageCount != record.pageCount
            || record.position.epoch != stream?.end?.record.position.epoch
        guard let last = isNew ? record : stream?.end?.record else {
            preconditionFailure("a stream without a record")
        }
        if isNew { pending.append(try segment.finish()) }
        return CapturedDatabase(
            capture, as: last, of: identity, isBase: isNew && last.kind == .base,
            changedPages: isNew ? last.tableCount : 0)
    }

    /// The newest recorded state that the database is in again, where it is not the last one and
    /// nothing proves that commits led there.
    private func stateGoneBackTo(
        _ capture: Capture, in stream: Stream?, known: Snapshot.Database?
    ) throws -> RecordHandle? {
        guard let stream, let end = stream.end else { return nil }
        let root = capture.spool.root.digest
        guard root != end.record.stateRoot else { return nil }
        let isAhead =
            known.map {
                DatabaseIdentity.isAhead(of: $0.reference.fingerprint, capture.fingerprint)
            } ?? false
        return isAhead ? nil : try stream.newestRecord(withRoot: root)
    }

    /// Begins an epoch at an earlier state: what was recorded behind it stays a branch.
    private func branch(
        at earlier: RecordHandle, _ capture: Capture, of identity: StreamIdentity,
        after end: RecordHandle?, in segment: SegmentWriter
    ) throws -> CapturedDatabase {
        let record = earlier.record.beginning(
            epoch: (end?.record.position.epoch ?? earlier.record.position.epoch) + 1,
            behind: earlier.chain, cause: .wentBack, seen: capture.seen)
        try segment.append(record.encoded, kind: .record)
        pending.append(try segment.finish())
        return CapturedDatabase(capture, as: record, of: identity)
    }

    /// A draft of the next record; where the database went back, behind a record that says so.
    private func beginEpoch(
        _ capture: Capture, after end: (record: Record, chain: Digest)?,
        known: Snapshot.Database?, in segment: SegmentWriter
    ) throws -> Record {
        var position = Position(epoch: 1, sequence: 1)
        var previous = Digest.zero
        if let end {
            position = end.record.position.next
            previous = end.chain
            if let known,
                end.record.cause != .restored,
                DatabaseIdentity.wentBack(
                    from: known.reference.fingerprint, to: capture.fingerprint)
            {
                let epoch = end.record.beginning(
                    epoch: end.record.position.epoch + 1, behind: end.chain, cause: .wentBack,
                    seen: capture.seen)
                try segment.append(epoch.encoded, kind: .record)
                position = epoch.position.next
                previous = epoch.chain
            }
        }
        return Record(
            comparing: capture, at: position, behind: previous,
            notBefore: end.map { lastSeen($0, before: capture.seen.wall) } ?? capture.seen.wall)
    }

    /// When the state of a record was seen last, before it was found gone.
    private func lastSeen(
        _ end: (record: Record, chain: Digest), before found: Timestamp
    ) -> Timestamp {
        guard let lastLook, lastLook.chain == end.chain else { return end.record.lastKnown }
        // Where the clock was set back meanwhile, the look says nothing of what it shows now.
        return lastLook.wall <= found
            ? max(end.record.lastKnown, lastLook.wall) : end.record.lastKnown
    }

    /// A record that says that commits behind the end were not recorded one by one; nil where
    /// there were none.
    private func writeGap(
        _ capture: Capture, after end: RecordHandle?, in segment: SegmentWriter
    ) throws -> (record: Record, chain: Digest)? {
        guard let end, capture.spool.root.digest != end.record.stateRoot else { return nil }
        let record = end.record.marking(.gap, behind: end.chain, seen: capture.seen)
        try segment.append(record.encoded, kind: .record)
        return (record, record.chain)
    }

    /// Bytes of the segments that wait for ``publish()``.
    package var pendingBytes: UInt64 { pending.reduce(0) { $0 + $1.pack.size } }

    /// Publishes all captured states; called once the blobs they refer to are durable.
    package func publish() throws {
        for segment in pending { try segment.publish(in: repository, under: lease) }
        pending = []
    }
}
