import Platform
import Repository
import Timeline

// What comes after the files: hard links, databases, strangers, directories.
extension Restorer {
    /// Opens the directory that holds the last component of a way from the target.
    func parent(of way: [[UInt8]], _ target: TargetDirectory) throws -> TargetDirectory {
        let steps = way.dropLast()
        var shared = 0
        while shared < trail.count, shared < steps.count, trail[shared].name == steps[shared] {
            shared += 1
        }
        trail.removeLast(trail.count - shared)
        for name in steps.dropFirst(shared) {
            trail.append((name, try (trail.last?.directory ?? target).open(name)))
        }
        return trail.last?.directory ?? target
    }

    func linkFiles(_ target: TargetDirectory) throws {
        for (way, node, first, staleLogs) in hardLinks {
            let path = way.reduce(target.path) { $0.appending($1) }
            do {
                let directory = try parent(of: way, target)
                let source = try parent(of: first, target)
                let temporary = temporaryName()
                try FileTree.makeHardLink(
                    temporary, in: directory.descriptor, to: first[first.count - 1],
                    in: source.descriptor)
                try staleLogs.moveAside(
                    in: directory, tag: TemporaryName.tag(of: temporary), report: report)
                try FileTree.rename(
                    temporary, in: directory.descriptor, to: node.name, in: directory.descriptor)
                // Renaming one name of a file over another of the same file does nothing.
                if try directory.status(temporary) != nil { try directory.remove(temporary) }
                report.update { $0.files += 1 }
                report.say(.item(.restored, path: path, bytes: 0))
            } catch {
                report.problem(path, during: "making the hard link", error)
            }
        }
    }

    func restoreDatabases(_ target: TargetDirectory) throws {
        guard !databases.isEmpty else { return }
        let recovery = try DatabaseRecovery(from: repository)
        for (way, node) in databases {
            if isInterrupted() { throw Interrupted() }
            try report.checkRoom()
            let path = way.reduce(target.path) { $0.appending($1) }
            do {
                let directory = try parent(of: way, target)
                if try linkDatabase(node, way, in: directory, target) { continue }
                try RestoredDatabase(
                    node, in: directory, temporary: temporaryName(), request: request,
                    metadata: metadata
                ).restore(with: recovery, pool: pool)
            } catch {
                report.problem(path, during: "restoring the database", error)
            }
        }
    }

    /// Makes a further name of a database that was restored already; false where this is its first
    /// name, or where another file has the name: somebody may have that one open.
    func linkDatabase(
        _ node: Node, _ way: [[UInt8]], in directory: TargetDirectory, _ target: TargetDirectory
    ) throws -> Bool {
        guard !request.dryRun, let first = firstName(of: node, way) else { return false }
        let source = try parent(of: first, target)
        guard let original = try source.status(first[first.count - 1]) else { return false }
        if let existing = try directory.status(node.name) {
            return existing.device == original.device && existing.inode == original.inode
        }
        try StaleLogs(in: directory).beside(node.name).moveAside(
            in: directory, tag: TemporaryName.tag(of: temporaryName()), report: report)
        try FileTree.makeHardLink(
            node.name, in: directory.descriptor, to: first[first.count - 1],
            in: source.descriptor)
        report.update { $0.databases += 1 }
        report.say(.item(.restored, path: directory.path.appending(node.name), bytes: 0))
        return true
    }

    func deleteStrangers(
        _ runs: [BlobReference], _ target: TargetDirectory, complete: Bool
    ) throws {
        try StrangerRemoval(self).run(runs, target, complete: complete)
    }

    /// Gives directories their metadata: those that were selected, and those that hold something
    /// that was.
    func finishDirectories(_ runs: [BlobReference], _ target: TargetDirectory) throws {
        var isTouched = [false]
        try browser.walk(runs, at: target.path) { node, path in
            guard mayEnter(node, path) else { return false }
            if node.kind == .directory {
                isTouched.append(selects(node, path))
                return true
            }
            if selects(node, path) { isTouched[isTouched.count - 1] = true }
            return false
        } leave: { node, path in
            guard isTouched.removeLast() else { return }
            isTouched[isTouched.count - 1] = true
            finish(node, path, target)
        } unreadable: { _, _, _ in
            // The first pass has reported it; the directories that can be read are finished.
        }
    }

    private func finish(_ node: Node, _ path: FilePath, _ target: TargetDirectory) {
        let way = Array(path.components.dropFirst(target.path.components.count))
        do {
            let directory = try parent(of: way, target)
            guard try directory.status(node.name)?.kind == .directory else { return }
            metadata.apply(node, to: node.name, in: directory)
        } catch let error as SystemError where error.errno == .noSuchFile {
            return  // it held nothing that could be restored
        } catch {
            report.problem(path, during: "finishing the directory", error)
        }
    }
}
