import Codec
import Platform
import Repository

@testable import Timeline

extension Repository {
    /// Records a database as it is, as `backup` does it.
    func record(
        _ path: FilePath, known: Snapshot.Database? = nil, scratch: FilePath,
        progress: @escaping () -> Void = {}
    ) throws -> CapturedDatabase {
        let lease = try HeldLease(on: place, purpose: "backup", world: world)
        try refresh()
        let store = BlobStore(self, lease: lease, level: .fast)
        let recorder = try DatabaseRecorder(
            in: self, under: lease, store: store, host: "alpha", scratch: scratch, patience: 0,
            progress: progress)
        let captured = try recorder.capture(DatabaseLocation(path), known: known)
        _ = try store.finish()
        try recorder.publish()
        try lease.end()
        return captured
    }
}
