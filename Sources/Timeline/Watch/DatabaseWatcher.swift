// Watches many databases:
//
//     capture thread   notices of the kernel → follow each database that is due → its journal
//     sealing thread   each journal → segments; every `sealInterval`, and when one has grown
//
// One capture thread serves all: an idle database costs its open files and one look a second. A
// base, or a comparison, of one database makes the others wait; their logs keep what they commit.

import Codec
import Glibc
package import Platform
import Repository
import Synchronization

/// Records every commit of the databases it is given until it is told to stop.
package final class DatabaseWatcher {
    /// Nanoseconds after which the loop comes round in any case.
    private static let longestRest: UInt64 = 500_000_000

    /// Nanoseconds between declarations of which marks are honoured.
    private static let declaration: UInt64 = 600_000_000_000

    private let access: WatchRepository
    private let settings: WatchSettings
    private let report: @Sendable (WatchNotice) -> Void
    private let databases: [WatchedDatabase]
    private let notices: DirectoryNotices
    private var directories: [CInt: [[UInt8]: WatchedDatabase]] = [:]
    private var declaresAt: UInt64 = 0
    private let wake: Wake
    private let sealing: JournalSealing

    package init(
        _ paths: [FilePath], into access: WatchRepository, settings: WatchSettings, wake: Wake,
        report: @escaping @Sendable (WatchNotice) -> Void
    ) throws {
        self.access = access
        self.settings = settings
        self.report = report
        self.wake = wake
        notices = try DirectoryNotices()
        let sealing = JournalSealing(access, settings, report)
        self.sealing = sealing
        let portion = LogPortion()
        databases = paths.map {
            WatchedDatabase(
                $0, access: access, settings: settings, sealing: sealing, portion: portion,
                report: report)
        }
    }

    /// Captures until `isStopped` answers true; then captures what is left and seals it.
    ///
    /// - Throws: where what is left could not be sealed; the journals keep it for the next run.
    package func run(until isStopped: () -> Bool) throws {
        try watchDirectories()
        sealing.start()
        while !isStopped() {
            try turn()
        }
        for database in databases { database.end() }
        try sealing.finish()
    }

    private func turn() throws {
        for notice in try notices.take() {
            directories[notice.directory]?[notice.name]?.notice()
        }
        if notices.wereDropped { for database in databases { database.notice() } }
        try wake.serve(databases)
        let now = access.repository.world.clock.bootTime()
        for database in databases where database.dueAt <= now { database.turn() }
        declareMarks(now)
        let rest = DatabaseWatcher.longestRest
        let next = databases.map(\.dueAt).min() ?? now + rest
        guard next > now else { return }
        if notices.wait(nanoseconds: Int64(min(next - now, rest)), or: wake.descriptor) {
            try wake.quiet()
        }
    }

    /// Lets prune delete what it has marked since the last time.
    private func declareMarks(_ now: UInt64) {
        guard now >= declaresAt else { return }
        declaresAt = now + DatabaseWatcher.declaration
        do {
            _ = try access.leaseForStoring()
        } catch {
            return  // the repository is away, as the sealing thread reports; prune waits
        }
    }

    private func watchDirectories() throws {
        for database in databases {
            let directory = try notices.watch(database.path.parent)
            for suffix in ["", "-wal", "-journal"] {
                let name = database.path.lastComponent + Array(suffix.utf8)
                directories[directory, default: [:]][name] = database
            }
        }
    }
}
