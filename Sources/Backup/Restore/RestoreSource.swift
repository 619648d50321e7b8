import Platform
package import Repository

/// What of a snapshot is restored.
package struct RestoreSource: Sendable {
    /// Entries that go into the target.
    let runs: [BlobReference]
    /// The one entry to restore, where the part is no directory.
    let single: Node?
    /// The directory that the target stands for, where the part is one.
    let directory: Node?
    /// Whether the runs are all that was in their directory.
    let complete: Bool

    /// - Parameter node: the part of the snapshot; nil for all of it.
    package init(_ node: Node?, of snapshot: Snapshot) {
        directory = node?.kind == .directory ? node : nil
        switch node?.content {
        case nil:
            runs = snapshot.root
            single = nil
            // Only a backup of the root itself knows all that lies there.
            complete = snapshot.paths == [Array("/".utf8)]
        case .directory(let runs, let complete):
            self.runs = runs
            single = nil
            self.complete = complete
        default:
            runs = []
            single = node
            complete = false
        }
    }
}
