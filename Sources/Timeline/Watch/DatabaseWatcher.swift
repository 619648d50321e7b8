// Watches many databases:
//
//     capture thread   notices of the kernel → follow each database that is due → its journal
//     sealing thread   each journal → segments; every `sealInterval`, and when one has grown
//     finding thread   watched directories → files that may be databases → capture thread
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

    private let access: WatchRepository
    private let report: @Sendable (WatchNotice) -> Void
    private let progress: () -> Void
    private var databases: [WatchedDatabase] = []
    private let notices: DirectoryNotices
    private var directories: [CInt: [[UInt8]: WatchedDatabase]] = [:]
    /// Databases whose directory went: nobody tells of changes to what lies there now.
    private var unwatched: Set<ObjectIdentifier> = []
    private let portion = LogPortion()
    private let around = LookAround()
    private let watched: WatchedDirectories
    private let finder: DatabaseFinder
    /// Directories, watched ones and those beneath them, whose names are looked at.
    private var searched: [FilePath: CInt] = [:]
    private var searchedNumbers: Set<CInt> = []
    private let wake: Wake
    private let sealing: JournalSealing

    /// - Parameters:
    ///   - excluded: directories in which no database is looked for.
    ///   - progress: called by the capture thread while it makes a base, as far as that gets on.
    package init(
        _ sources: [WatchSource], into access: WatchRepository, wake: Wake,
        excluding excluded: Set<FileIdentity> = [], progress: @escaping () -> Void = {},
        report: @escaping @Sendable (WatchNotice) -> Void
    ) throws {
        self.progress = progress
        self.access = access
        self.report = report
        self.wake = wake
        notices = try DirectoryNotices()
        sealing = JournalSealing(access, wake: wake, report)
        let directories = sources.filter(\.isDirectory)
        watched = WatchedDirectories(directories, report: report)
        finder = DatabaseFinder(
            in: directories.map(\.path), excluding: excluded,
            clock: access.repository.world.clock, wake: wake)
        for source in sources where !source.isDirectory { add(source) }
    }

    private func add(_ source: WatchSource, isFound: Bool = false) {
        let database = WatchedDatabase(
            source.path, access: access, settings: source.settings, sealing: sealing,
            portion: portion, around: around, isFound: isFound, progress: progress, report: report)
        databases.append(database)
        do {
            try watchDirectory(of: database)
        } catch {
            // Each database is looked at now and then as well.
            report(.waiting(source.path, reason: "nobody tells of changes to it: \(error)"))
        }
    }

    private func watchDirectory(of database: WatchedDatabase) throws(SystemError) {
        let path = database.path
        let directory = try notices.watch(path.parent)
        for suffix in ["", "-wal", "-journal"] {
            let name = path.lastComponent + Array(suffix.utf8)
            directories[directory, default: [:]][name] = database
        }
    }

    /// Captures until `isStopped` answers true; then captures what is left and seals it.
    ///
    /// - Throws: where what is left could not be sealed; the journals keep it for the next run.
    package func run(until isStopped: () -> Bool) throws {
        defer { wake.end() }
        sealing.start()
        finder.start()
        while !isStopped() {
            try turn()
        }
        finder.stop()
        wake.end()
        for database in databases { database.end() }
        try sealing.finish()
    }

    private func turn() throws {
        for notice in try notices.take() {
            if notice.isOfDirectory { forget(notice.directory) }
            directories[notice.directory]?[notice.name]?.notice()
            if isOfInterest(notice) { finder.ask() }
        }
        // Who waits for the repository need not wait for the next try.
        if sealing.takeReturn() || notices.wereDropped {
            for database in databases { database.notice() }
        }
        if notices.wereDropped { finder.ask() }
        if let found = finder.take() { admit(found) }
        try wake.serve(databases)
        let now = access.repository.world.clock.bootTime()
        for database in databases where database.dueAt <= now { turn(database) }
        around.look(at: databases)
        access.endStoring()
        let rest = DatabaseWatcher.longestRest
        let next = databases.map(\.dueAt).min() ?? now + rest
        guard next > now else { return }
        if notices.wait(nanoseconds: Int64(min(next - now, rest)), or: wake.descriptor) {
            try wake.quiet()
        }
    }
}

// MARK: Watched directories

extension DatabaseWatcher {
    /// A file that came anew may lie in a directory that came anew.
    private func turn(_ database: WatchedDatabase) {
        let before = database.identity
        database.turn()
        let key = ObjectIdentifier(database)
        guard let now = database.identity, now != before || unwatched.contains(key) else { return }
        do {
            try watchDirectory(of: database)
            unwatched.remove(key)
        } catch {
            unwatched.insert(key)  // it is looked at each second, and so is its directory
        }
    }

    /// What lies at the path of a directory that went is another one: its databases are looked at,
    /// and whoever searched it does so anew.
    private func forget(_ number: CInt) {
        let named = directories.removeValue(forKey: number)?.values.map { ObjectIdentifier($0) }
        let gone = Set(named ?? [])
        unwatched.formUnion(gone)
        for database in databases where gone.contains(ObjectIdentifier(database)) {
            database.notice()
        }
        for (path, searching) in searched where searching == number { searched[path] = nil }
        if searchedNumbers.remove(number) != nil { finder.ask() }
    }

    /// Whether a name came or went, or a new file was written, where databases are looked for.
    private func isOfInterest(_ notice: DirectoryNotice) -> Bool {
        searchedNumbers.contains(notice.directory)
            && directories[notice.directory]?[notice.name] == nil
            && !DatabaseSearch.isCompanion(notice.name)
    }

    /// Records what was found and is new; lets go what is gone and wholly in the repository.
    private func admit(_ found: [DatabaseSearch]) {
        var isNewDirectory = false
        for directory in found.flatMap(\.directories) where searched[directory] == nil {
            isNewDirectory = true
            search(directory)
        }
        // What came into a directory before its notices did is seen by another walk.
        if isNewDirectory { finder.ask() }
        letGo()
        let new = watched.newDatabases(
            in: found, besides: Set(databases.map(\.path)),
            open: Set(databases.compactMap(\.identity)))
        for source in new { add(source, isFound: true) }
        let present = Set(found.flatMap(\.directories))
        for gone in searched.keys where !present.contains(gone) {
            if let number = searched.removeValue(forKey: gone) { searchedNumbers.remove(number) }
        }
    }

    private func search(_ directory: FilePath) {
        do {
            let number = try notices.watch(directory)
            searched[directory] = number
            searchedNumbers.insert(number)
        } catch {
            return  // it vanished, or the system has no more watches: the walks see its files
        }
    }

    private func letGo() {
        let gone = databases.filter { $0.isFound && $0.isGone && $0.retire() }
        guard !gone.isEmpty else { return }
        databases.removeAll { database in gone.contains { $0 === database } }
        unwatched.subtract(gone.map { ObjectIdentifier($0) })
        for number in directories.keys {
            directories[number] = directories[number]?.filter { entry in
                !gone.contains { $0 === entry.value }
            }
        }
    }
}
