import Platform
import Repository
import SQLite
import Timeline

/// Whether a database that is there already stays, as `--overwrite` has it for files.
struct KeptDatabase {
    let node: Node
    let directory: TargetDirectory
    let overwrite: RestoreRequest.Overwrite

    func keeps(
        _ existing: FileStatus, insteadOf reference: DatabaseReference,
        with recovery: DatabaseRecovery
    ) throws -> Bool {
        switch overwrite {
        case .always: false
        case .never: true
        case .ifNewer: try lastChange(existing) >= node.modified
        case .ifChanged: existing.kind == .regular && isIn(reference, existing, recovery)
        }
    }

    /// Commits may lie in the log, while the database's own time stands still.
    private func lastChange(_ existing: FileStatus) throws -> Timestamp {
        guard let log = try directory.status(node.name + Array("-wal".utf8)), log.size > 0 else {
            return existing.modified
        }
        return max(existing.modified, log.modified)
    }

    /// Whether its content is the snapshot's; size and time tell nothing of a database in use.
    private func isIn(
        _ reference: DatabaseReference, _ existing: FileStatus, _ recovery: DatabaseRecovery
    ) -> Bool {
        do {
            let location = DatabaseLocation(
                directory.path.appending(node.name),
                at: DatabasePlace(node.name, in: directory.descriptor),
                expecting: existing)
            _ = try recovery.root(ofDatabaseAt: location, expecting: reference)
            return true
        } catch {
            return false  // another state, or none that can be read: it is to be replaced
        }
    }
}
