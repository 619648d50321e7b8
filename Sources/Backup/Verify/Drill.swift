package import Platform
package import Repository
import SQLite

/// What a drill proved of one snapshot.
package struct DrillResult: Sendable {
    /// A database that was restored, and what SQLite says of it.
    package struct Database: Sendable {
        /// The path it was backed up from.
        package let path: FilePath
        /// The first lines of `PRAGMA integrity_check`; `ok` where nothing is wrong.
        package let integrity: String
    }

    package let snapshot: StoredSnapshot
    package let counts: RestoreCounts
    package let databases: [Database]
    /// Seconds the restore took, without reading everything again.
    package let restoreSeconds: Double
    package let proofSeconds: Double

    /// Whether every byte came back and every database is whole.
    package var isProven: Bool {
        counts.damage == 0 && counts.verificationFailures == 0
            && databases.allSatisfy { $0.integrity == "ok" }
    }
}

/// Restores snapshots to a scratch place and proves the result, since reading what is stored does
/// not prove that it comes back.
package struct Drill {
    private let repository: Repository
    private let scratch: FilePath
    private let isInterrupted: @Sendable () -> Bool

    /// - Parameter scratch: an empty directory with room for a snapshot.
    package init(
        _ repository: Repository, scratch: FilePath, isInterrupted: @escaping @Sendable () -> Bool
    ) {
        self.repository = repository
        self.scratch = scratch
        self.isInterrupted = isInterrupted
    }

    /// Restores, compares every byte with the snapshot's ids, and lets SQLite check each database.
    package func run(
        _ snapshot: StoredSnapshot, report: RestoreReport
    ) throws -> DrillResult {
        var request = RestoreRequest(target: scratch, selection: .everything)
        request.verifies = true
        // What a drill restores is removed again.
        request.syncs = false
        // A drill by an ordinary user proves as much.
        request.owners = .untouched
        let clock = repository.world.clock
        let start = clock.bootTime()
        let restorer = Restorer(
            from: repository, request, report: report, isInterrupted: isInterrupted)
        try restorer.run(RestoreSource(nil, of: snapshot.snapshot))
        let end = clock.bootTime()
        let databases = try snapshot.snapshot.databases.map { database in
            let path = FilePath(bytes: database.path)
            let integrity = try integrity(of: path, below: restorer)
            return DrillResult.Database(path: path, integrity: integrity)
        }
        let restored = restorer.restoredAt ?? end
        return DrillResult(
            snapshot: snapshot, counts: report.counts, databases: databases,
            restoreSeconds: Double(restored - start) / 1e9,
            proofSeconds: Double(clock.bootTime() - restored) / 1e9)
    }

    private func integrity(of path: FilePath, below restorer: Restorer) throws -> String {
        do {
            let way = TargetWay(path.components)
            let directory = try restorer.directory(at: way?.above)
            let place = DatabasePlace(path.lastComponent, in: directory.descriptor)
            // Read-only, since a snapshot may hold a journal for it that names any file to remove;
            // and in its directory, since below the scratch directory a path may be too long.
            let connection = try Connection(
                opening: directory.path.appending(path.lastComponent), mode: .readOnly,
                busyTimeoutMilliseconds: 10_000, at: place)
            let check = try connection.prepare("PRAGMA integrity_check(5)")
            var lines: [String] = []
            while try check.step() { lines.append(check.text(at: 0)) }
            return lines.joined(separator: "; ")
        } catch {
            if let full = SystemError(noRoomFor: path, error) { throw full }
            return "\(error)"
        }
    }
}
