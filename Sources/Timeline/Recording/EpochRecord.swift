import Codec
import Platform
import Repository

extension Record {
    /// When nothing had been committed behind this record's state, as far as the record tells. One
    /// look may have found several commits, of which this was not the last; so it is not when the
    /// look was made.
    var lastKnown: Timestamp {
        [.commit, .base].contains(kind) && !isCompared ? notBefore : seen.wall
    }

    /// A record behind this one that has its state and no pages.
    func marking(_ kind: Kind, behind chain: Digest, seen: Moment) -> Record {
        var record = self
        record.kind = kind
        record.isCut = false
        record.isCompared = false
        record.position = position.next
        record.seen = seen
        record.notBefore = lastKnown
        record.cause = .none
        record.start = Position(epoch: 0, sequence: 0)
        record.previous = chain
        record.tableHash = TableHasher().finish()
        record.tableCount = 0
        record.tableBlobs = 0
        record.bodyBlobs = 0
        return record
    }

    /// The record that begins an epoch at this one's state.
    func beginning(epoch: UInt64, behind chain: Digest, cause: Cause, seen: Moment) -> Record {
        var record = marking(.epoch, behind: chain, seen: seen)
        record.position = Position(epoch: epoch, sequence: position.sequence + 1)
        record.cause = cause
        record.start = position
        return record
    }

    /// A draft of the record of a state that was found by comparing.
    init(
        comparing capture: Capture, at position: Position, behind previous: Digest,
        notBefore: Timestamp
    ) {
        self.init(
            kind: capture.isBase ? .base : .commit, position: position, seen: capture.seen,
            notBefore: notBefore, database: 0, pageSize: capture.geometry.pageSize,
            pageCount: capture.pageCount, stateRoot: .zero, previous: previous, tableHash: .zero)
        isCompared = true
    }
}

extension Position {
    /// The position after this one in the same epoch.
    var next: Position { Position(epoch: epoch, sequence: sequence + 1) }
}

extension CapturedDatabase {
    /// What was captured, as a record of a stream that has its content.
    init(
        _ capture: Capture, as record: Record, of identity: StreamIdentity, isBase: Bool = false,
        changedPages: UInt32 = 0
    ) {
        database = Snapshot.Database(
            path: identity.path,
            reference: DatabaseReference(
                stream: identity.stream, position: record.position, chain: record.chain,
                fingerprint: capture.fingerprint),
            stateRoot: record.stateRoot, pageSize: record.pageSize, pageCount: record.pageCount)
        journalMode = capture.reader.journalMode
        self.isBase = isBase
        self.changedPages = changedPages
        longestHold = capture.reader.longestHoldNanoseconds
    }
}
