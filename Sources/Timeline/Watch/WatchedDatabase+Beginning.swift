// How the capture of a database begins: what was recorded before is joined, so that nothing is
// missed in silence.

import Codec
import Glibc
import Platform
import Repository
import SQLite

extension WatchedDatabase {
    func begin() throws {
        guard try FileStatus.ofExisting(path) != nil else {
            if file != nil { report(.ended(path)) }
            file = nil
            isGone = true
            phase = .waiting
            // Its directory may have gone with it: nobody tells when it comes back.
            dueAt = clock.bootTime() + WatchedDatabase.idle
            return
        }
        // Before it is opened: nothing else may open and close this file from here on.
        file = try FileStatus.of(path, followingLinks: true)
        let lease = try access.leaseForStoring()
        let store = BlobStore(access.repository, lease: lease, level: settings.compression)
        do {
            try begin(under: lease, store)
        } catch {
            store.cancel(because: error)
            throw error
        }
        isGone = false
        lastReason = ""
        noticedAt = clock.bootTime()
        begunAt = noticedAt
        isSettled = false
        dueAt = 0
    }

    private func begin(under lease: HeldLease, _ store: BlobStore) throws {
        let repository = access.repository
        let recorder = try DatabaseRecorder(
            in: repository, under: lease, store: store, host: settings.host,
            scratch: settings.directory, patience: 0, progress: progress)
        try claim(with: recorder)
        let reader = try DatabaseReader(opening: path, busyTimeoutMilliseconds: 500)
        let looked = repository.world.moment
        do {
            // To seal what an earlier watch left may take long: what is committed meanwhile stays
            // in the log, to be captured one by one.
            if reader.journalMode == .wal {
                try reader.hold()
                _ = try reader.viewOfHeldState()
            }
            if let identity = recorder.stream(of: path)?.identity {
                try open(identity)
                try sealWhatIsWhole()
                try recorder.reload()
            }
            try join(reader, heldSince: looked, with: recorder, store)
        } catch {
            reader.letGo()
            // The log may have commits that nobody has captured.
            reader.closeUntouched()
            throw error
        }
    }

    /// Joins the state that is held to what was recorded before, and follows it from there.
    private func join(
        _ reader: DatabaseReader, heldSince looked: Record.Moment,
        with recorder: DatabaseRecorder, _ store: BlobStore
    ) throws {
        let end = recorder.stream(of: path)?.end
        let known = end.flatMap { self.known(at: $0) }
        let isWhole = try isWhole(with: recorder)
        if let captured = try capturedPutBack(reader, with: recorder) {
            _ = try store.finish()
            try recorder.publish()
            return try follow(reader, from: captured, since: looked, after: end)
        }
        if let end, isWhole, let follower = try resumed(reader, at: end) {
            follower.expect(expected)
            _ = try store.finish()
            report(.began(path, end.record.position, .continued))
            phase = .following(follower)
            return
        }
        recorder.lastLook = lastLook
        let moment = clock.now()
        let captured = try recorder.capture(
            path, known: known, with: reader, marksGap: reader.journalMode == .wal)
        _ = try store.finish()
        try recorder.publish()
        lastLook = LastLook(chain: captured.database.reference.chain, wall: moment)
        try follow(reader, from: captured, since: looked, after: end)
    }

    private func known(at end: RecordHandle) -> Snapshot.Database? {
        guard let identity = journal?.identity, let mark = CaptureMark.read(markPath),
            mark.chain == end.chain
        else { return nil }
        return Snapshot.Database(
            path: path.bytes,
            reference: DatabaseReference(
                stream: identity.stream, position: end.record.position, chain: end.chain,
                fingerprint: mark.identity.encoded),
            stateRoot: end.record.stateRoot, pageSize: end.record.pageSize,
            pageCount: end.record.pageCount)
    }

    /// Whether what the stream's end is made of is all there: nothing may follow what is lost.
    private func isWhole(with recorder: DatabaseRecorder) throws -> Bool {
        guard let end = recorder.stream(of: path)?.end, try !recorder.holdsEnd(of: path) else {
            return true
        }
        report(.historyHurt(path, end.position))
        return false
    }

    /// A follower that goes on where the last capture ended, without a comparison.
    private func resumed(_ reader: DatabaseReader, at end: RecordHandle) throws -> DatabaseFollower?
    {
        guard !mustCompare, reader.journalMode == .wal, let mark = CaptureMark.read(markPath),
            mark.chain == end.chain, end.record.pageSize == reader.pageSize,
            mark.identity.file.inode == (try FileStatus.of(path, followingLinks: true)).inode
        else { return nil }
        return try DatabaseFollower(
            reader, at: CapturedEnd(end.record, end.chain), resuming: mark,
            world: access.repository.world, portion: portion)
    }

    /// - Parameter looked: when the reader had not begun yet.
    func follow(
        _ reader: DatabaseReader, from captured: CapturedDatabase, since looked: Record.Moment,
        after end: RecordHandle?
    ) throws {
        let database = captured.database
        let reference = database.reference
        try open(
            StreamIdentity(stream: reference.stream, host: settings.host, path: path.bytes))
        let position = JournalEnd(position: reference.position, chain: reference.chain)
        if journal?.end != position { try journal?.resume(after: position) }
        tell(captured, after: end, reader.journalMode)
        mustCompare = false
        guard reader.journalMode == .wal else {
            reader.close()
            phase = .comparing(database)
            return
        }
        let follower = try DatabaseFollower(
            reader,
            at: CapturedEnd(
                position: reference.position, chain: reference.chain,
                root: StateRoot(database.stateRoot), pageCount: database.pageCount,
                lastLook: looked.wall),
            isBase: captured.isBase, world: access.repository.world, portion: portion)
        bytesSinceBase = 0
        noteBrokenLog(try reader.viewOfHeldState())
        follower.expect(expected)
        try writeMark(follower)
        phase = .following(follower)
    }

    private func noteBrokenLog(_ state: DatabaseView) {
        isLogBroken = state.logged?.isBroken ?? false
        guard isLogBroken, !saidLogBroken else { return }
        saidLogBroken = true
        report(.logBroken(path))
    }

    /// Says how the capture begins; of a database without a log, which is captured anew at each
    /// change, what changed.
    private func tell(
        _ captured: CapturedDatabase, after end: RecordHandle?, _ mode: JournalMode
    ) {
        let position = captured.database.reference.position
        let isSameEpoch = position.epoch == end?.record.position.epoch
        guard case .comparing = phase, mode == .rollback, isSameEpoch else {
            return report(.began(path, position, beginning(captured, after: end)))
        }
        guard captured.changedPages > 0 else { return }
        report(.recorded(path, position, pages: captured.changedPages))
    }

    private func beginning(
        _ captured: CapturedDatabase, after end: RecordHandle?
    ) -> WatchNotice.Beginning {
        let position = captured.database.reference.position
        if let end, position.epoch != end.record.position.epoch { return .wentBack }
        if captured.isBase {
            let hasGap =
                captured.journalMode == .wal
                && end.map { $0.record.stateRoot != captured.database.stateRoot } ?? false
            return hasGap ? .comparedToBase : .base
        }
        if captured.journalMode == .rollback, captured.changedPages > 0 {
            return .changed(pages: captured.changedPages)
        }
        return captured.changedPages == 0 ? .continued : .compared(pages: captured.changedPages)
    }

    /// Makes this process the one writer of the database's stream, and the one that records its
    /// file, whatever names that has.
    func claim(with recorder: DatabaseRecorder) throws {
        let repository = access.repository
        try recorder.claim(path)
        access.noteClaim(
            on: StreamClaim.subject(host: settings.host, path: path.bytes, in: repository),
            of: path)
        guard let identity else { return }
        let subject = StreamClaim.subject(host: settings.host, file: identity, in: repository)
        if let former = fileClaim, former != subject {
            try access.giveUpClaim(on: former, of: path)
            fileClaim = nil
        }
        try Claim.take(
            subject, what: "the file of \(path), by this or another name,", in: repository,
            under: recorder.lease, patience: 0)
        fileClaim = subject
        access.noteClaim(on: subject, of: path)
    }
}
