package import Platform
import Repository
import Synchronization

/// What a restore is to do.
package struct RestoreRequest: Sendable {
    /// What happens to a file that is there already.
    package enum Overwrite: String, Sendable, CaseIterable {
        case always
        case ifChanged = "if-changed"
        case ifNewer = "if-newer"
        case never
    }

    package var target: FilePath
    package var selection: PathSelection
    package var overwrite = Overwrite.always
    /// Removes what the snapshot does not have, in directories it has whole.
    package var deletes = false
    /// Reads everything again afterwards and holds it against its ids.
    package var verifies = false
    package var dryRun = false
    /// Directories of which nothing is removed or replaced: the repository itself, and its cache.
    package var spared: Set<FileIdentity> = []

    package init(target: FilePath, selection: PathSelection) {
        self.target = target
        self.selection = selection
    }
}

/// Something a person should hear of while a restore runs.
package enum RestoreNotice: Sendable {
    package enum Action: String, Sendable {
        case restored, updated, unchanged, deleted
    }

    case item(Action, path: FilePath, bytes: UInt64)
    /// Something is not as it was; the restore goes on and ends with exit 3.
    case problem(path: FilePath, during: String, reason: String)
    /// Worth saying, harms nothing.
    case remark(path: FilePath, String)
}

/// Numbers of a running or finished restore.
package struct RestoreCounts: Sendable {
    package var files: UInt64 = 0
    package var directories: UInt64 = 0
    package var databases: UInt64 = 0
    package var skipped: UInt64 = 0
    package var deleted: UInt64 = 0
    package var bytes: UInt64 = 0
    package var verifiedBytes: UInt64 = 0
    package var problems: UInt64 = 0
    /// Problems that are damage in the repository.
    package var damage: UInt64 = 0
    /// Entries that, read again, were not what the snapshot says.
    package var verificationFailures: UInt64 = 0

    package init() {}
}

/// Collects what happens during a restore.
package final class RestoreReport: Sendable {
    private let state = Mutex(RestoreCounts())
    private let notify: @Sendable (RestoreNotice) -> Void

    package init(notify: @escaping @Sendable (RestoreNotice) -> Void) {
        self.notify = notify
    }

    package var counts: RestoreCounts { state.withLock { $0 } }

    func update(_ change: (inout RestoreCounts) -> Void) {
        state.withLock { change(&$0) }
    }

    func say(_ notice: RestoreNotice) {
        if case .problem = notice { state.withLock { $0.problems += 1 } }
        notify(notice)
    }

    /// Something that was read again and is not what it should be.
    func mismatch(_ path: FilePath, _ reason: String) {
        state.withLock { $0.verificationFailures += 1 }
        say(.problem(path: path, during: "verifying", reason: reason))
    }

    func problem(_ path: FilePath, during: String, _ error: any Error) {
        if let error = error as? RepositoryError, error.code == .damaged {
            state.withLock { $0.damage += 1 }
        }
        say(.problem(path: path, during: during, reason: "\(error)"))
    }
}
