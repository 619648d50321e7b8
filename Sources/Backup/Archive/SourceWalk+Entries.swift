import Glibc
import Platform
import Repository

// One entry that is no regular file.
extension SourceWalk {
    /// Records an entry that is no directory; returns the node of one that is.
    func entry(
        _ name: [UInt8], in directory: borrowing Descriptor, _ path: FilePath, _ known: Node?,
        _ sidecars: inout [[UInt8]: String?], seen: FileStatus? = nil
    ) throws -> Node? {
        let status: FileStatus
        do {
            if let seen, let known, known.kind == seen.kind, isUnchanged(known, seen) {
                // Whatever else the scout says may have changed since.
                status = seen
            } else {
                status = try FileStatus.of(name, in: directory)
            }
        } catch {
            // The last connection to a database takes its -wal and -shm along.
            if error.errno == .noSuchFile, sidecars[name] != nil { return nil }
            report.problem(path, during: "looking at it", error)
            if error.errno != .noSuchFile {
                totals.unreadable += 1
                missesEntry = true
            }
            return nil
        }
        let isOurs = request.forbidden.contains(FileIdentity(status))
        if isOurs { report.say(.remark(path: path, "left out: the repository, or its cache")) }
        guard !isOurs,
            !request.selection.excludes(path.bytes, isDirectory: status.kind == .directory)
        else {
            // Or a restore that deletes would delete what no snapshot holds.
            missesEntry = true
            return nil
        }
        if let owner = sidecars[name], status.kind == .regular {
            if let reason = owner { try sendUnreadable(name, status, reason) }
            return nil
        }
        switch status.kind {
        case .directory: return directoryNode(name, status, in: directory, path, known)
        case .regular: try file(name, status, in: directory, path, known, &sidecars)
        default: try special(name, status, in: directory, path, known)
        }
        return nil
    }

    func directoryNode(
        _ name: [UInt8], _ status: FileStatus, in directory: borrowing Descriptor,
        _ path: FilePath, _ known: Node?
    ) -> Node {
        if let known, known.kind == .directory, isUnchanged(known, status) {
            report.update { $0.unchangedDirectories += 1 }
            var node = known
            node.links = status.links
            return node
        }
        report.update {
            if known == nil { $0.newDirectories += 1 } else { $0.changedDirectories += 1 }
        }
        return described(name, status, .nothing, in: directory, path)
    }

    /// Opens a directory to go into; nil where it is to stay unopened or cannot be opened.
    ///
    /// - Parameter isSource: whether it was asked for by itself: then it may be a mount point.
    func open(
        _ node: Node, in directory: borrowing Descriptor, _ path: FilePath, isSource: Bool = false
    ) throws -> OpenDirectory? {
        totals.directories += 1
        var opened: OpenDirectory?
        do {
            let candidate = try Descriptor.open(
                node.name, in: directory, flags: O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
            let isElsewhere =
                request.staysOnFilesystem && !isSource
                ? try directory.status().device != candidate.status().device : false
            if !isElsewhere { opened = OpenDirectory(candidate, path) }
        } catch {
            report.problem(path, during: "opening", error)
            totals.unreadable += 1
        }
        if opened == nil {
            var empty = node
            empty.content = .directory(runs: [], complete: false)
            try send(.entry(empty, nil, extents: nil))
        }
        return opened
    }

    func special(
        _ name: [UInt8], _ status: FileStatus, in directory: borrowing Descriptor,
        _ path: FilePath, _ known: Node?
    ) throws {
        totals.files += 1
        if let known, known.kind == status.kind, isUnchanged(known, status) {
            count(.unchanged, path, status)
            return try send(.entry(known, nil, extents: nil))
        }
        var node = Node(name: name, status: status, settled: isSettled(status), content: .nothing)
        nameOwners(&node)
        do {
            switch status.kind {
            case .symbolicLink:
                node.content = .link(target: try FileTree.readLink(name, in: directory))
            case .characterDevice, .blockDevice: node.content = .device(status.specialDevice)
            default: break
            }
        } catch {
            report.problem(path, during: "reading the link", error)
            return try sendUnreadable(name, status, "\(error)")
        }
        readAttributes(of: &node, in: directory, path)
        count(known == nil ? .new : .modified, path, status)
        try send(.entry(node, nil, extents: nil))
    }
}
