package import Platform
package import Repository
import Synchronization
package import Timeline

/// Something a person should hear of while a backup runs.
package enum ArchiveNotice: Sendable {
    package enum Action: String, Sendable {
        case new, modified, unchanged
    }

    /// An entry was looked at.
    case item(Action, path: FilePath, kind: FileKind, bytes: UInt64)
    /// A database was captured.
    case database(path: FilePath, CapturedDatabase)
    /// Something could not be read as it should; the backup goes on and ends with exit 3.
    case problem(path: FilePath, during: String, reason: String)
    /// Worth saying, harms nothing.
    case remark(path: FilePath, String)
}

/// Numbers of a running or finished backup.
package struct ArchiveCounts: Sendable {
    package var newFiles: UInt64 = 0
    package var changedFiles: UInt64 = 0
    package var unchangedFiles: UInt64 = 0
    package var newDirectories: UInt64 = 0
    package var changedDirectories: UInt64 = 0
    package var unchangedDirectories: UInt64 = 0
    package var bytes: UInt64 = 0
    package var databases: UInt64 = 0
    /// Databases that had to be stored as plain files.
    package var plainDatabases: UInt64 = 0
    package var problems: UInt64 = 0
    package var current = FilePath("")
    /// What the parent snapshot held, which this one will hold about as well; nil without a parent.
    package var expected: (files: UInt64, bytes: UInt64)?

    package init() {}

    package var files: UInt64 { newFiles + changedFiles + unchangedFiles }
    package var directories: UInt64 {
        newDirectories + changedDirectories + unchangedDirectories
    }
}

/// Collects what happens during a backup; read by a progress display meanwhile.
package final class ArchiveReport: Sendable {
    private let state = Mutex(ArchiveCounts())
    private let notify: @Sendable (ArchiveNotice) -> Void

    package init(notify: @escaping @Sendable (ArchiveNotice) -> Void) {
        self.notify = notify
    }

    package var counts: ArchiveCounts { state.withLock { $0 } }

    func update(_ change: (inout ArchiveCounts) -> Void) {
        state.withLock { change(&$0) }
    }

    func say(_ notice: ArchiveNotice) {
        if case .problem = notice { state.withLock { $0.problems += 1 } }
        notify(notice)
    }

    func problem(_ path: FilePath, during: String, _ error: any Error) {
        say(.problem(path: path, during: during, reason: error.reason(at: path)))
    }
}

/// What a backup did.
package struct ArchiveOutcome: Sendable {
    /// Nil where nothing was written: a dry run, or nothing had changed and that was to be skipped.
    package let snapshot: StoredSnapshot?
    package let counts: ArchiveCounts
    package let stored: StoreStatistics
}

/// The user, or the system, asked the process to stop.
package struct Interrupted: Error {
    package init() {}
}
