package import Platform
import Repository
import Synchronization

/// Something verify found.
package enum VerifyFinding: Sendable {
    /// A file of the repository is not what it should be.
    case file(name: String, reason: String)
    /// An entry of a snapshot cannot be restored whole.
    case path(snapshot: String, path: FilePath, reason: String)
    /// A snapshot cannot be read at all.
    case snapshot(name: String, reason: String)
}

/// Numbers of a running or finished verify.
package struct VerifyCounts: Sendable {
    package var snapshots: UInt64 = 0
    package var packs: UInt64 = 0
    package var packsInAll: UInt64 = 0
    package var bytesRead: UInt64 = 0
    package var entries: UInt64 = 0
    package var databases: UInt64 = 0
    package var findings: UInt64 = 0

    package init() {}
}

/// Collects what verify finds.
package final class VerifyReport: Sendable {
    private let state = Mutex(VerifyCounts())
    private let notify: @Sendable (VerifyFinding) -> Void

    package init(notify: @escaping @Sendable (VerifyFinding) -> Void) {
        self.notify = notify
    }

    package var counts: VerifyCounts { state.withLock { $0 } }

    func update(_ change: (inout VerifyCounts) -> Void) {
        state.withLock { change(&$0) }
    }

    func found(_ finding: VerifyFinding) {
        state.withLock { $0.findings += 1 }
        notify(finding)
    }

    /// The snapshots are walked again: what was counted on the first walk does not count.
    func forgetWalk() {
        update { counts in
            (counts.snapshots, counts.entries, counts.databases) = (0, 0, 0)
        }
    }
}
