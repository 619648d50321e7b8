import Codec
import Glibc
import Platform

/// Decides, on the capture thread, which files of watched directories are databases to record.
final class WatchedDirectories {
    /// What a file looked like when it was no database.
    private struct Look: Equatable {
        let size: UInt64
        let modified: Timestamp
        let changed: Timestamp

        init(_ status: FileStatus) {
            (size, modified, changed) = (status.size, status.modified, status.changed)
        }
    }

    let sources: [WatchSource]
    private let report: @Sendable (WatchNotice) -> Void
    private var dismissed: [FileIdentity: Look] = [:]
    /// Whether it was said that a directory is too large.
    private var saidCut = false

    init(_ sources: [WatchSource], report: @escaping @Sendable (WatchNotice) -> Void) {
        self.sources = sources
        self.report = report
    }

    /// The databases among what was found that nobody records yet, each with its source.
    ///
    /// - Parameters:
    ///   - paths: of the databases that are recorded.
    ///   - open: the files that this process may have open through SQLite; none of them is opened
    ///     and closed, which would drop SQLite's locks.
    func newDatabases(
        in found: [DatabaseSearch], besides paths: Set<FilePath>, open: Set<FileIdentity>
    ) -> [WatchSource] {
        var new: [WatchSource] = []
        var (paths, known) = (paths, open)
        var stillDismissed: [FileIdentity: Look] = [:]
        for (source, search) in zip(sources, found) {
            if search.isCut { tellCut(source.path) }
            for file in search.files where !paths.contains(file.path) {
                let identity = FileIdentity(file.status)
                let look = Look(file.status)
                guard !known.contains(identity), file.status.size >= DatabaseHeader.size else {
                    continue
                }
                if dismissed[identity] == look || !isDatabase(file, open: open) {
                    stillDismissed[identity] = look
                } else {
                    new.append(WatchSource(file.path, settings: source.settings))
                    paths.insert(file.path)
                    known.insert(identity)
                }
            }
        }
        dismissed = stillDismissed
        return new
    }

    private func isDatabase(_ file: FoundFile, open: Set<FileIdentity>) -> Bool {
        do {
            let descriptor = try Descriptor.open(
                file.path, flags: O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
            let identity = FileIdentity(try descriptor.status())
            guard !open.contains(identity) else {
                // Another name of a file that SQLite has open was moved here just now. Closing
                // would drop its locks: better one descriptor too many.
                _ = descriptor.release()
                return false
            }
            // It may have been moved; then the next walk finds it.
            guard identity == FileIdentity(file.status) else { return false }
            if case .other = try DatabaseDetector.examine(descriptor) { return false }
            return true
        } catch {
            if error.errno != .noSuchFile {
                report(.waiting(file.path, reason: "nobody can tell what it is: \(error)"))
            }
            return false
        }
    }

    private func tellCut(_ directory: FilePath) {
        guard !saidCut else { return }
        saidCut = true
        report(
            .waiting(
                directory,
                reason: "more than \(DatabaseSearch.entryLimit) files lie beneath it; databases "
                    + "among the rest are not recorded"))
    }
}
