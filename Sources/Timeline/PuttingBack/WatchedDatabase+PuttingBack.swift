import Platform
import Repository

extension WatchedDatabase {
    /// A restore is about to write a recorded state over the database.
    func expect(_ restoration: Restoration) throws {
        let index = try StreamIndex(of: access.repository)
        guard let stream = index.streams[restoration.state.stream],
            stream.identity.path == path.bytes, stream.identity.host == settings.host
        else { throw Wake.NotWatched(description: "it records another history of that database") }
        let state = PutBackState(
            handle: try stream.record(at: restoration.state), firstPage: restoration.firstPage)
        // What is there now is not what is put back, even if it is the same.
        turn()
        expect(state)
    }

    private func expect(_ state: PutBackState?) {
        expected = state
        if case .following(let follower) = phase { follower.expect(state) }
    }

    /// The state was put back: records it where that was not done yet, and answers what is recorded
    /// by now, sealed in the repository.
    func conclude(_ restoration: Restoration) throws -> Snapshot.Database {
        let recorded = try barrier()
        guard let state = expected else { return recorded }
        // Others have committed before anybody looked: what they did comes behind, as one step.
        stopFollowing(leavingLog: true)
        try beginEpoch(at: state)
        return try barrier()
    }

    /// Whoever was to put a state back has gone.
    func giveUpExpecting() {
        turn()
        expect(nil)
    }

    private func beginEpoch(at state: PutBackState) throws {
        guard let identity = journal?.identity else { throw BarrierFailed(path: path) }
        let lease = try access.leaseForStoring()
        guard let stream = try StreamIndex(of: access.repository).streams[identity.stream] else {
            throw BarrierFailed(path: path)
        }
        let record = try stream.beginEpoch(at: state, in: access.repository, under: lease)
        expected = nil
        report(.putBack(path, record.position, from: state.record.position))
    }

    /// Notes an epoch that began with a commit.
    func note(_ changes: [ChangeSet]) {
        guard let epoch = changes.first(where: { $0.record.kind == .epoch })?.record else { return }
        expected = nil
        report(.putBack(path, epoch.position, from: epoch.start))
    }

    /// Captures the state that a restore has put back, where that is in the database.
    func capturedPutBack(
        _ reader: DatabaseReader, with recorder: DatabaseRecorder
    ) throws -> CapturedDatabase? {
        guard let state = expected ?? recorder.interruptedRestore(of: path),
            let captured = try recorder.capturePutBack(path, to: state, with: reader)
        else { return nil }
        expected = nil
        return captured
    }
}
