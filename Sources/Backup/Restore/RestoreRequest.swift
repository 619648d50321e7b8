package import Platform
package import Repository
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

    /// Whose the restored entries are.
    package enum Owners: Sendable {
        /// The user and group of the recorded name, where this host has one; else the number's.
        case named
        /// The recorded numbers'.
        case numbered
        /// Whoever restores.
        case untouched
    }

    package var target: FilePath
    package var selection: PathSelection
    package var overwrite = Overwrite.always
    /// Removes what the snapshot does not have, in directories it has whole.
    package var deletes = false
    /// Reads everything again afterwards and holds it against its ids.
    package var verifies = false
    package var dryRun = false
    /// Ends only once what was restored is durable.
    package var syncs = true
    /// Directories of which nothing is removed or replaced: the repository itself, and its cache.
    package var spared: Set<FileIdentity> = []
    package var owners = Owners.named
    /// Under whose name this host's databases are recorded.
    package var host: String
    /// Nanoseconds to wait for another writer of a database's history.
    package var patience: UInt64 = 0
    /// A directory for nameless files.
    package var scratch: FilePath

    package init(
        target: FilePath, selection: PathSelection, host: String = ProcessIdentity.hostName()
    ) {
        self.target = target
        self.selection = selection
        self.host = host
        scratch = target
    }
}

/// Something a person should hear of while a restore runs.
package enum RestoreNotice: Sendable {
    package enum Action: String, Sendable {
        case restored, updated, unchanged, deleted
    }

    /// The history of a database that was restored in its place goes on in an epoch of its own;
    /// what was there before is recorded, here as `former` or by a watch.
    case epoch(UInt64, former: Position?, path: FilePath)
    case item(Action, path: FilePath, bytes: UInt64)
    /// The snapshot names it and does not hold it, since it could not be read; the restore goes on
    /// and ends with exit 3.
    case absent(path: FilePath, reason: String)
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
    /// Entries that stay with whoever restored them, for want of privilege.
    package var ownersDenied: UInt64 = 0
    /// Entries that were asked for, whatever became of them.
    package var asked: UInt64 = 0
    /// Those of them that are directories.
    package var askedDirectories: UInt64 = 0
    /// Entries that the snapshot names and does not hold.
    package var absent: UInt64 = 0
    /// What was done, or in a dry run would be: as many as were told of.
    package var items: UInt64 = 0

    package init() {}

    /// Whether there was nothing to do, as when no pattern matches anything.
    package var isNothing: Bool { asked + deleted == 0 }

    /// Whether nothing came back of what was asked for.
    package var isFailure: Bool {
        items + askedDirectories == 0 && problems + absent > 0
    }
}

/// Collects what happens during a restore.
package final class RestoreReport: Sendable {
    private let state = Mutex(RestoreCounts())
    private let fullness = Mutex<SystemError?>(nil)
    private let notify: @Sendable (RestoreNotice) -> Void

    package init(notify: @escaping @Sendable (RestoreNotice) -> Void) {
        self.notify = notify
    }

    package var counts: RestoreCounts { state.withLock { $0 } }

    func update(_ change: (inout RestoreCounts) -> Void) {
        state.withLock { change(&$0) }
    }

    func say(_ notice: RestoreNotice) {
        state.withLock { counts in
            switch notice {
            case .problem: counts.problems += 1
            case .absent: counts.absent += 1
            case .item: counts.items += 1
            case .epoch, .remark: break
            }
        }
        notify(notice)
    }

    /// Something that was read again and is not what it should be.
    func mismatch(_ path: FilePath, _ reason: String) {
        state.withLock { $0.verificationFailures += 1 }
        say(.problem(path: path, during: "verifying", reason: reason))
    }

    func problem(_ path: FilePath, during: String, _ error: any Error) {
        if let full = SystemError(noRoomFor: path, error) {
            return fullness.withLock { $0 = $0 ?? full }
        }
        if let error = error as? RepositoryError, error.code == .damaged {
            state.withLock { $0.damage += 1 }
        }
        say(.problem(path: path, during: during, reason: error.reason(at: path)))
    }

    /// How many entries are named that could not get their owner; an ordinary user's restore of
    /// another's tree has as many as there are files.
    package static let mostOwnersNamed: UInt64 = 3

    /// The entry stays with whoever restores it.
    func ownerDenied(_ path: FilePath, _ error: SystemError) {
        let count = state.withLock { state in
            state.ownersDenied += 1
            if state.ownersDenied > Self.mostOwnersNamed { state.problems += 1 }
            return state.ownersDenied
        }
        guard count <= Self.mostOwnersNamed else { return }
        say(
            .problem(
                path: path, during: "setting the owner", reason: error.reason(at: path)))
    }

    /// Throws once a write found no room: what follows would fare no better, and a full disk says
    /// nothing about the repository.
    func checkRoom() throws(SystemError) {
        if let full = fullness.withLock({ $0 }) { throw full }
    }
}
