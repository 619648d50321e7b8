import Platform
import Repository
import SQLite
import Timeline

// Regular files and databases.
extension SourceWalk {
    func file(
        _ name: [UInt8], _ status: FileStatus, in directory: borrowing Descriptor,
        _ path: FilePath, _ known: Node?, _ sidecars: inout [[UInt8]: String?]
    ) throws {
        totals.files += 1
        if status.links > 1, try sendTwin(name, status, in: directory, path, &sidecars) { return }
        if case .database = known?.content, !request.treatsDatabasesAsFiles {
            return try database(name, status, in: directory, path, known, &sidecars)
        }
        if let known, case .file(let pieces, _) = known.content, isUnchanged(known, status),
            !request.readsEverything, !mayBeUncaptured(status), try areStored(pieces)
        {
            totals.bytes.add(saturating: status.size)
            var node = known
            node.device = status.device
            notePlainDatabase(name, status, in: directory, path)
            remember(node, status, path)
            count(.unchanged, path, status)
            return try send(.entry(node, nil, extents: nil))
        }
        try changedFile(name, status, in: directory, path, known, &sidecars)
    }

    /// Whether a new snapshot may name pieces of the parent's: what was lost is read again.
    private func areStored(_ pieces: PieceList) throws -> Bool {
        if trustsParent { return true }
        for entry in pieces.entries {
            guard try repository.holds(entry.blob.id) else { return false }
            guard pieces.level > 0 else { continue }
            do {
                let inner = try opener.list(entry, level: pieces.level - 1)
                guard try areStored(inner) else { return false }
            } catch let error as RepositoryError where error.code == .damaged {
                return false
            }
        }
        return true
    }

    /// Whether an unchanged file may be a database that the parent stored as a plain file only
    /// because it was told to.
    private func mayBeUncaptured(_ status: FileStatus) -> Bool {
        parentHasPlainDatabases && !request.treatsDatabasesAsFiles && status.size >= 512
            && status.size % 512 == 0
    }

    /// Counts an unchanged file among the databases that were stored as plain files, where its head
    /// is that of one.
    private func notePlainDatabase(
        _ name: [UInt8], _ status: FileStatus, in directory: borrowing Descriptor, _ path: FilePath
    ) {
        guard request.treatsDatabasesAsFiles, status.size >= 512, status.size % 512 == 0,
            let source = try? SourceFile(opening: name, in: directory, path: path)
        else { return }
        if source.looksLikeDatabase { report.update { $0.plainDatabases += 1 } }
    }

    func changedFile(
        _ name: [UInt8], _ status: FileStatus, in directory: borrowing Descriptor,
        _ path: FilePath, _ known: Node?, _ sidecars: inout [[UInt8]: String?]
    ) throws {
        let source: SourceFile
        do {
            source = try SourceFile(
                opening: name, in: directory, path: path, mostExtents: mostExtents)
        } catch {
            report.problem(path, during: "opening", error)
            return try sendUnreadable(name, status, "\(error)")
        }
        if source.looksLikeDatabase {
            guard !request.treatsDatabasesAsFiles else {
                report.update { $0.plainDatabases += 1 }
                return try plain(source, name, in: directory, path, known)
            }
            // Closed before libsqlite3 opens it: see the head of this file.
            source.close()
            return try database(name, status, in: directory, path, known, &sidecars)
        }
        try plain(source, name, in: directory, path, known)
    }

    func plain(
        _ source: SourceFile, _ name: [UInt8], in directory: borrowing Descriptor,
        _ path: FilePath, _ known: Node?
    ) throws {
        defer { source.close() }
        let status = source.status
        var node = Node(
            name: name, status: status, settled: isSettled(status), content: .nothing)
        nameOwners(&node)
        readAttributes(of: &node, path) { try source.attributes() }
        let pending = board.newContent()
        do {
            let reading = try source.read { fill in
                try content.write(pending, expected: source.expectedBytes, read: fill)
            }
            board.complete(pending)
            node.size = reading.size
            if reading.changed {
                node.settled = false
                report.say(
                    .problem(path: path, during: "reading", reason: "it changed while it was read"))
            }
            if source.smallestHole > 0 {
                let reason =
                    "it has more holes than a snapshot can hold: those below "
                    + "\(source.smallestHole) bytes are stored, and will be restored, as zeros"
                report.say(.remark(path: path, reason))
            }
            totals.bytes.add(saturating: reading.size)
            count(known == nil ? .new : .modified, path, source.status)
            remember(node, source.status, path, pending: pending, extents: reading.extents)
            try send(.entry(node, pending, extents: reading.extents))
        } catch let error as SourceFile.ReadError {
            board.complete(pending)
            try board.check()  // where the repository failed, it was not the source
            report.problem(path, during: "reading", error)
            try sendUnreadable(name, source.status, "\(error)")
        }
    }

    func database(
        _ name: [UInt8], _ status: FileStatus, in directory: borrowing Descriptor,
        _ path: FilePath, _ known: Node?, _ sidecars: inout [[UInt8]: String?]
    ) throws {
        do {
            let location = DatabaseLocation(
                source: path, at: DatabasePlace(name, in: directory), expecting: status)
            let captured = try recorder.capture(location, known: parentDatabases[path.bytes])
            for suffix in DatabaseSidecar.suffixes { sidecars[name + suffix] = .some(nil) }
            var node = described(
                name, status, .database(captured.database.reference), in: directory, path)
            databases.append(captured.database)
            node.size = UInt64(captured.database.pageSize) * UInt64(captured.database.pageCount)
            totals.bytes.add(saturating: node.size)
            report.update { $0.databases += 1 }
            report.say(.database(path: path, captured))
            count(
                known == nil ? .new : captured.changedPages > 0 ? .modified : .unchanged, path,
                status)
            remember(node, status, path)
            try send(.entry(node, nil, extents: nil))
        } catch let error as CaptureError where error.code == .notADatabase {
            report.update { $0.plainDatabases += 1 }
            sayStoredPlain(path, error)
            let source: SourceFile
            do {
                source = try SourceFile(
                    opening: name, in: directory, path: path, mostExtents: mostExtents)
            } catch {
                report.problem(path, during: "opening", error)
                return try sendUnreadable(name, status, "\(error)")
            }
            try plain(source, name, in: directory, path, known)
        } catch let error as CaptureError {
            report.say(
                .problem(
                    path: path, during: "capturing the database", reason: error.reason(at: path)))
            try leaveOut(name, status, "\(error)", &sidecars)
        }
    }

    /// One that the parent has as a database must not cease to be one in silence.
    private func sayStoredPlain(_ path: FilePath, _ error: CaptureError) {
        guard parentDatabases[path.bytes] != nil else {
            return report.say(.remark(path: path, "stored as a plain file: \(error)"))
        }
        let reason =
            "it was captured as a database before, and is stored as a plain file now: "
            + error.reason(at: path)
        report.say(.problem(path: path, during: "capturing the database", reason: reason))
    }
}
