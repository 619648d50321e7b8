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
    /// States of databases instead of those that the snapshot names, and beside them.
    let states: [DatabaseState]
    /// Those of them that the snapshot does not have.
    let strangers: [DatabaseState]
    private let statesByPath: [[UInt8]: DatabaseState]

    func state(at path: [UInt8]) -> DatabaseState? { statesByPath[path] }

    /// Databases alone.
    package init(_ states: [DatabaseState]) {
        runs = []
        single = nil
        directory = nil
        complete = false
        self.states = states
        strangers = states
        statesByPath = RestoreSource.byPath(states)
    }

    private static func byPath(_ states: [DatabaseState]) -> [[UInt8]: DatabaseState] {
        Dictionary(states.map { ($0.path.bytes, $0) }, uniquingKeysWith: { first, _ in first })
    }

    /// - Parameters:
    ///   - node: the part of the snapshot; nil for all of it.
    ///   - states: states of databases that count instead; only with all of the snapshot.
    package init(_ node: Node?, of snapshot: Snapshot, databases states: [DatabaseState] = []) {
        self.states = states
        let paths = Set(snapshot.databases.map(\.path))
        strangers = states.filter { !paths.contains($0.path.bytes) }
        statesByPath = RestoreSource.byPath(states)
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
