import Codec
import Platform
import Repository

extension DatabaseRecorder {
    /// Captures a database that a restore has written over: an epoch begins at the state that was
    /// put back, and what differs from it comes behind. Nil where the database is in another state.
    func capturePutBack(
        _ path: FilePath, to state: PutBackState, with reader: DatabaseReader
    ) throws -> CapturedDatabase? {
        guard let stream = stream(of: path), let end = stream.end else { return nil }
        let capture = try Capture(
            reader: reader, previous: try stream.storedPath(to: state.handle, in: repository),
            repository: repository, store: store, scratch: scratch,
            progress: progress)
        try capture.run()
        guard
            state.isIn(
                capture.spool.root, firstPage: capture.firstPage, pageCount: capture.pageCount,
                pageSize: capture.geometry.pageSize)
        else { return nil }
        let segment = try SegmentWriter(of: stream.identity, in: repository, under: lease)
        let epoch = state.epoch(after: end.position.epoch, seen: capture.seen)
        try segment.append(epoch.encoded, kind: .record)
        var last = epoch
        if capture.spool.root.digest != epoch.stateRoot {
            var writer = RecordWriter(into: segment, geometry: capture.geometry)
            try capture.spool.forEach { try writer.add($0) }
            last = try writer.finish(
                Record(
                    comparing: capture, at: epoch.position.next, behind: epoch.chain,
                    notBefore: epoch.seen.wall))
        }
        pending.append(try segment.finish())
        return CapturedDatabase(
            capture, as: last, of: stream.identity, isBase: last.kind == .base,
            changedPages: last.tableCount)
    }
}

extension Stream {
    /// Publishes a record that begins an epoch at a state that was put back; under the lease that
    /// holds the claim on the stream, of which this is the end read under it.
    func beginEpoch(
        at state: PutBackState, in repository: Repository, under lease: HeldLease
    ) throws -> Record {
        let segment = try SegmentWriter(of: identity, in: repository, under: lease)
        let record = state.epoch(
            after: end?.position.epoch ?? state.record.position.epoch, seen: repository.world.moment
        )
        try segment.append(record.encoded, kind: .record)
        try segment.finish().publish(in: repository, under: lease)
        return record
    }
}
