// Putting a database back. Never a rename over a file that somebody may have open, and never a
// stale -wal or -journal left beside a new file: SQLite would replay it into the wrong database.
//
// - No file there: recovered beside, then renamed into place; what a lost database left beside it
//   is moved aside first.
// - A database there: recovered beside, then copied in through libsqlite3's backup API, which is
//   one transaction for whoever has it open.
// - A file there that is no database: moved aside, nothing of it is lost.

import Codec
import Glibc
import Platform
import Repository
import SQLite
import Timeline

/// One database on its way back.
struct RestoredDatabase {
    private let node: Node
    private let directory: TargetDirectory
    private let temporary: [UInt8]
    private let request: RestoreRequest
    private let metadata: FileMetadata

    init(
        _ node: Node, in directory: TargetDirectory, temporary: [UInt8], request: RestoreRequest,
        metadata: FileMetadata
    ) {
        self.node = node
        self.directory = directory
        self.temporary = temporary
        self.request = request
        self.metadata = metadata
    }

    private var path: FilePath { directory.path.appending(node.name) }
    private var report: RestoreReport { metadata.report }

    func restore(with recovery: DatabaseRecovery, pool: WorkPool) throws {
        guard case .database(let reference) = node.content else { return }
        let existing = try directory.status(node.name)
        let comparison = KeptDatabase(
            node: node, directory: directory, overwrite: request.overwrite)
        if let existing, try comparison.keeps(existing, insteadOf: reference, with: recovery) {
            report.update { $0.skipped += 1 }
            report.say(.item(.unchanged, path: path, bytes: 0))
            return
        }
        guard !request.dryRun else {
            report.say(.item(existing == nil ? .restored : .updated, path: path, bytes: node.size))
            return
        }
        do {
            try recover(reference, with: recovery, pool: pool)
            let epoch = try RestoredEpoch(
                of: reference, at: path, firstPage: try firstPage(), request, report, recovery)
            do {
                try put(over: existing, epoch)
            } catch {
                try epoch.cancel()
                throw error
            }
            epoch.begin()
        } catch {
            if try directory.status(temporary) != nil { try directory.remove(temporary) }
            throw error
        }
        report.update { counts in
            counts.databases += 1
            counts.bytes.add(saturating: node.size)
        }
        report.say(.item(existing == nil ? .restored : .updated, path: path, bytes: node.size))
    }

    private func recover(
        _ reference: DatabaseReference, with recovery: DatabaseRecovery, pool: WorkPool
    ) throws {
        let file = try Descriptor.open(
            temporary, in: directory.descriptor,
            flags: O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, mode: 0o600)
        let raw = file.raw
        let path = path
        try file.truncate(to: node.size)
        try recovery.recover(reference, with: pool) { bytes, offset in
            try Descriptor.write(bytes, to: raw, at: offset, path: path)
        }
        try file.sync()
    }

    private func firstPage() throws -> [UInt8] {
        let file = try Descriptor.open(
            temporary, in: directory.descriptor, flags: O_RDONLY | O_NOFOLLOW)
        var bytes = [UInt8](repeating: 0, count: 1 << 16)
        let count = try bytes.withUnsafeMutableBytes { try file.read(into: $0, at: 0) }
        return Array(bytes.prefix(count))
    }

    private func put(over existing: FileStatus?, _ epoch: RestoredEpoch) throws {
        guard let existing else { return try moveIntoPlace() }
        guard existing.kind == .regular else {
            throw RepositoryError(
                .exists, "a \(existing.kind.noun) is in the way",
                hint: "Move it away, or restore to another directory.")
        }
        do {
            try copy(over: existing, epoch)
            try directory.remove(temporary)
            metadata.apply(node, to: node.name, in: directory)
        } catch let error as SQLiteError where error.isNotADatabase || error.isCorrupt {
            // What cannot even be opened for writing, nobody has in use.
            try moveAside(node.name)
            try moveIntoPlace()
        }
    }

    private func copy(over existing: FileStatus, _ epoch: RestoredEpoch) throws {
        let copy = try OnlineCopy(
            of: directory.path.appending(temporary),
            at: DatabasePlace(temporary, in: directory.descriptor))
        let place = DatabasePlace(node.name, in: directory.descriptor)
        let location = DatabaseLocation(path, at: place)
        // Where nobody may write nothing has to be recorded.
        try DatabaseRecovery.writing(over: location) {}
        defer { epoch.letPresentGo() }
        while true {
            try epoch.keepPresent(at: DatabaseLocation(path, at: place, expecting: existing))
            let writing = try DatabaseRecovery.writing(over: location) {
                try copy.begin(over: path, at: place, expecting: existing)
            }
            guard try epoch.isPresentKept() else {
                try writing.giveUp()
                continue
            }
            // Who closes the database last copies its log into it: that is the writing.
            epoch.letPresentGo()
            try DatabaseRecovery.writing(over: location) { try writing.finish() }
            break
        }
        epoch.tellReplaced()
        try copy.close()
    }

    private func moveIntoPlace() throws {
        for suffix in DatabaseSidecar.suffixes {
            let name = node.name + suffix
            if try directory.status(name) != nil { try moveAside(name) }
        }
        metadata.apply(node, to: temporary, in: directory)
        try FileTree.renameExclusively(
            temporary, in: directory.descriptor, to: node.name, in: directory.descriptor)
        try directory.descriptor.sync()
    }

    private func moveAside(_ name: [UInt8]) throws {
        try directory.moveAside(name, tag: TemporaryName.tag(of: temporary), report: report)
    }
}
