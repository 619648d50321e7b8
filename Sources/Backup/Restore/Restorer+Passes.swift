import Platform
import Repository
import Timeline

// What comes after the files: hard links, databases, strangers, directories.
extension Restorer {
    /// The directory at the end of a way, nil standing for the target itself.
    func directory(at way: TargetWay?) throws(SystemError) -> TargetDirectory {
        guard let directory = try trail?.directory(at: way) else {
            throw SystemError("open", request.target, .noSuchFile)
        }
        return directory
    }

    /// Visits what the patterns let the restore into, with the way to each entry.
    func walk(
        _ runs: [BlobReference], _ visit: (Node, FilePath, TargetWay) throws -> Bool,
        leave: (Node, FilePath, TargetWay) throws -> Void = { _, _, _ in }
    ) throws {
        var way: TargetWay?
        try browser.walk(runs, at: request.target) { node, path in
            guard mayEnter(node, path) else { return false }
            let next = TargetWay(node.name, below: way)
            let enters = try visit(node, path, next) && node.kind == .directory
            if enters { way = next }
            return enters
        } leave: { node, path in
            guard let left = way else { return }
            try leave(node, path, left)
            way = left.above
        } unreadable: { _, _, _ in
            // The first pass has reported it.
        }
    }

    func linkFiles() throws {
        for (way, node, first, staleLogs) in hardLinks {
            let path = way.path(below: request.target)
            do {
                let source = try directory(at: first.above)
                let directory = try directory(at: way.above)
                let temporary = temporaryName()
                try FileTree.makeHardLink(
                    temporary, in: directory.descriptor, to: first.name, in: source.descriptor)
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

    func restoreDatabases() throws {
        guard !databases.isEmpty else { return }
        let recovery = try DatabaseRecovery(from: repository)
        for (way, node) in databases {
            if isInterrupted() { throw Interrupted() }
            try report.checkRoom()
            let path = way.path(below: request.target)
            do {
                let directory = try directory(at: way.above)
                if try linkDatabase(node, way, in: directory) { continue }
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
        _ node: Node, _ way: TargetWay, in directory: TargetDirectory
    ) throws -> Bool {
        guard !request.dryRun, let first = firstName(of: node, way) else { return false }
        let source = try self.directory(at: first.above)
        guard let original = try source.status(first.name) else { return false }
        if let existing = try directory.status(node.name) {
            return existing.device == original.device && existing.inode == original.inode
        }
        try StaleLogs(in: directory).beside(node.name).moveAside(
            in: directory, tag: TemporaryName.tag(of: temporaryName()), report: report)
        try FileTree.makeHardLink(
            node.name, in: directory.descriptor, to: first.name, in: source.descriptor)
        report.update { $0.databases += 1 }
        report.say(.item(.restored, path: directory.path.appending(node.name), bytes: 0))
        return true
    }

    /// Gives directories their metadata: those that were selected, and those that hold something
    /// that was.
    func finishDirectories(_ runs: [BlobReference]) throws {
        var isTouched = [false]
        try walk(runs) { node, path, _ in
            if node.kind == .directory {
                isTouched.append(selects(node, path))
                return true
            }
            if selects(node, path) { isTouched[isTouched.count - 1] = true }
            return false
        } leave: { node, path, way in
            guard isTouched.removeLast() else { return }
            isTouched[isTouched.count - 1] = true
            finish(node, path, way)
        }
    }

    private func finish(_ node: Node, _ path: FilePath, _ way: TargetWay) {
        do {
            let directory = try directory(at: way.above)
            guard try directory.status(node.name)?.kind == .directory else { return }
            metadata.apply(node, to: node.name, in: directory)
        } catch let error as SystemError where error.errno == .noSuchFile {
            return  // it held nothing that could be restored
        } catch {
            report.problem(path, during: "finishing the directory", error)
        }
    }
}
