package import Platform

/// What a configuration says of one host. Values that were not given are nil or their defaults.
package struct HostConfiguration: Sendable {
    /// The name under which this host records.
    package var node: String?
    /// Where what must survive lives until it is in the repository.
    package var data: Located<FilePath>?
    package var repository: RepositoryEntry
    /// In the order of the file.
    package var services: [ServiceEntry]

    /// `repository`
    package struct RepositoryEntry: Sendable {
        package var location: Located<FilePath>
        package var passwordFile: Located<FilePath>?
        package var passwordCommand: String?
        /// Between two prunes of a watch; nil for a day.
        package var prune: Duration?

        /// Where the password comes from, where that is said.
        var password: PasswordSource? {
            passwordFile.map { .file($0.value) }
                ?? passwordCommand.map { .command(Array($0.utf8)) }
        }
    }

    /// One of `services`.
    package struct ServiceEntry: Sendable {
        package let name: String
        /// Databases, and directories of databases.
        package var databases: [Located<FilePath>] = []
        package var trees: [Located<FilePath>] = []
        /// Between two snapshots of trees and databases; nil for none.
        package var schedule: Duration?
        package var keep = KeepEntry()
        package var seal: Duration?
        /// Bytes.
        package var journalLimit: UInt64?
        /// Bytes.
        package var logLimit: UInt64?
        package var checkpointLock = WatchCommand.CheckpointLock.auto
        package var whenFull = WhenFull.gap
    }

    /// `keep`: how long what is recorded stays.
    package struct KeepEntry: Sendable, Hashable {
        /// How long every commit stays.
        package var history = Duration.seconds(7 * 86_400)
        /// Snapshots to keep, by `last`, `hourly`, … in the order of ``periods``.
        package var counts: [String: Int] = [:]

        /// Whether snapshots are ever forgotten.
        var forgets: Bool { counts.values.contains { $0 > 0 } }

        package static let periods = ["last", "hourly", "daily", "weekly", "monthly", "yearly"]
    }

    /// What happens once a journal is full while the repository is away.
    package enum WhenFull: String, CaseIterable, Sendable {
        /// No writer is held up; the commits become one step, with a gap before it.
        case gap
    }
}
