// A backup of which little changed spends its time asking for the status of every file, and before
// that stretching the password; the one needs the kernel, the other a core. So a thread of its own
// goes ahead from the first moment on, in the order of the walk.
//
// Its word counts for a second, and only where it says that nothing changed: what is new or
// different the walk looks at again. It opens nothing but directories, so that it closes no file of
// a database.

import Glibc
package import Platform

/// Lists the directories of a backup's sources ahead of the walk.
package final class SourceScout: Sendable {
    /// A directory as it was seen.
    struct Listing {
        /// Before it was listed.
        let directory: FileStatus
        /// Nanoseconds on the clock that stands still for nothing, before that.
        let begun: UInt64
        /// Sorted by bytes.
        let names: [[UInt8]]
        /// By name; nil where it could not be told.
        let statuses: [FileStatus?]
    }

    // Unchecked: reached inside the monitor only.
    private final class Findings: @unchecked Sendable {
        var listings: ArraySlice<Listing> = []
        var entries = 0
        var isStopped = false
    }

    private static let validity: UInt64 = 1_000_000_000
    /// Entries that wait for the walk at most: some megabytes.
    private static let entryLimit = 1 << 15
    /// Levels below a source that are looked at, each with a descriptor.
    private static let depthLimit = 64

    private let monitor = Monitor()
    private let findings = Findings()

    /// Sets out at once.
    package convenience init(
        _ paths: [FilePath], selection: PathSelection, staysOnFilesystem: Bool
    ) {
        self.init()
        let search = Search(self, selection: selection, staysOnFilesystem: staysOnFilesystem)
        // Nobody waits for its end: it may hang in a file system that does not answer, as the walk
        // then will, but the walk may be told to stop.
        _ = WorkerThread(name: "scout") { search.run(paths) }
    }

    private init() {}

    /// What was seen of a directory that the walk has opened; nil where that is no longer so, or
    /// was not looked at.
    func take(_ directory: FileStatus) -> Listing? {
        monitor.locked {
            defer { monitor.wakeAll() }
            while let listing = findings.listings.popFirst() {
                findings.entries -= listing.names.count + 1
                guard listing.directory.inode == directory.inode,
                    listing.directory.device == directory.device
                else { continue }
                let isSame =
                    listing.directory.modified == directory.modified
                    && listing.directory.changed == directory.changed
                let age = SystemClock().bootTime() - listing.begun
                return isSame && age < SourceScout.validity ? listing : nil
            }
            return nil
        }
    }

    /// Ends the search; what it found is dropped.
    package func stop() {
        monitor.locked {
            findings.isStopped = true
            findings.listings = []
            monitor.wakeAll()
        }
    }

    /// Waits while too much was found already; false once nobody wants more.
    fileprivate func put(_ listing: Listing) -> Bool {
        monitor.locked {
            while findings.entries > SourceScout.entryLimit, !findings.isStopped { monitor.wait() }
            guard !findings.isStopped else { return false }
            findings.entries += listing.names.count + 1
            findings.listings.append(listing)
            return true
        }
    }

    /// The search itself; used by one thread.
    private struct Search: Sendable {
        private let scout: SourceScout
        private let selection: PathSelection
        private let staysOnFilesystem: Bool

        init(_ scout: SourceScout, selection: PathSelection, staysOnFilesystem: Bool) {
            self.scout = scout
            self.selection = selection
            self.staysOnFilesystem = staysOnFilesystem
        }

        func run(_ paths: [FilePath]) {
            follow(SourcePlan(paths).root, FilePath("/"))
        }

        /// Goes through the sources in the order of the walk; false once nobody wants more.
        @discardableResult
        private func follow(_ branch: SourcePlan.Branch, _ path: FilePath) -> Bool {
            guard !branch.isSource else { return look(at: path) }
            return branch.sortedNames.allSatisfy { name in
                branch.children[name].map { follow($0, path.appending(name)) } ?? true
            }
        }

        private func look(at path: FilePath) -> Bool {
            // What cannot be opened or listed here, the walk will meet, and tell.
            guard
                let source = try? Descriptor.open(path, flags: O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
            else { return true }
            return list(source, path, depth: 0)
        }

        private func list(
            _ directory: consuming Descriptor, _ path: FilePath, depth: Int
        ) -> Bool {
            let begun = SystemClock().bootTime()
            guard let status = try? directory.status(),
                let listed = try? Directory.names(in: directory, path: path)
            else { return true }
            let names = listed.sorted { $0.precedes($1) }
            let statuses = names.map { try? FileStatus.of($0, in: directory) }
            guard
                scout.put(
                    Listing(directory: status, begun: begun, names: names, statuses: statuses))
            else { return false }
            guard depth < SourceScout.depthLimit else { return true }
            for (name, entry) in zip(names, statuses) where entry?.kind == .directory {
                let child = path.appending(name)
                if staysOnFilesystem, entry?.device != status.device { continue }
                guard !selection.excludes(child.bytes, isDirectory: true),
                    let opened = try? Descriptor.open(
                        name, in: directory, flags: O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
                else { continue }
                guard list(opened, child, depth: depth + 1) else { return false }
            }
            return true
        }
    }
}
