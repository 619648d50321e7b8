// What a database holds when a restore is about to write over it: recorded by comparison, under the
// restore's own lease, so that it can be gone back to. Others may commit while that is done. So the
// reader stays open until the restore has the database's write lock, under which nobody commits,
// and tells then whether the recorded state is still the one. Where it is not: in WAL mode readers
// are let in beside the write lock, and the state is recorded again, this time for good; in
// rollback-journal modes they are not, and the restore lets go and begins anew.

import Codec
import Platform
import Repository

/// The state that a restore replaces.
final class PresentState {
    private let identity: StreamIdentity
    private let repository: Repository
    private let lease: HeldLease
    private let scratch: FilePath
    private let reader: DatabaseReader
    private(set) var recorded: Snapshot.Database?

    /// Records it.
    ///
    /// - Parameters:
    ///   - lease: which holds the claim on the stream.
    ///   - dead: what the claim's former holder said of itself, where it had died.
    ///   - scratch: a directory for nameless files.
    /// - Throws: `CaptureError` where it cannot be read as one state; what a repository throws.
    init(
        of identity: StreamIdentity, at location: DatabaseLocation, in repository: Repository,
        under lease: HeldLease, from dead: LeaseRecord?, scratch: FilePath
    ) throws {
        self.identity = identity
        self.repository = repository
        self.lease = lease
        self.scratch = scratch
        reader = try DatabaseReader(location)
        do {
            try record(from: dead)
        } catch {
            close()
            throw error
        }
    }

    /// Whether what is there now is recorded; asked while nobody can commit.
    func isCurrent() throws -> Bool {
        if let recorded,
            try reader.isUncommitted(
                since: DatabaseIdentity(decoding: recorded.reference.fingerprint))
        {
            return true
        }
        guard reader.journalMode == .wal else { return false }
        reader.letGo()
        try record(from: nil)
        return true
    }

    /// Ends the reader, and leaves the database's log as it is.
    func close() {
        reader.letGo()
        reader.closeUntouched()
    }

    private func record(from dead: LeaseRecord?) throws {
        let store = BlobStore(repository, lease: lease, level: .fast)
        do {
            let path = FilePath(bytes: identity.path)
            let recorder = try DatabaseRecorder(
                in: repository, under: lease, store: store, host: identity.host, scratch: scratch,
                patience: 0)
            try recorder.takeOver(path, from: dead)
            if reader.journalMode == .wal { try reader.hold() }
            let captured = try recorder.capture(path, known: nil, with: reader)
            _ = try store.finish()
            try recorder.publish()
            recorded = captured.database
        } catch {
            store.cancel(because: error)
            throw error
        }
    }
}
