// Walks the sources and reads what changed, on one thread.
//
// That it is one thread is what keeps databases safe: closing any descriptor of a database file
// drops the locks that libsqlite3 holds on it in this process. Here no file of a source is open
// while a database is captured, and none of a database while files are read.

import Codec
import Glibc
import Platform
package import Repository
import Timeline

/// One pass over the sources of a backup.
final class SourceWalk {
    /// A directory on the way from a source to where the walk is.
    private final class Frame {
        let directory: Descriptor
        let path: FilePath
        let node: Node
        var names: ArraySlice<[UInt8]> = []
        var parent: ParentDirectory
        var complete = true
        /// Files beside a database that was captured (nil) or could not be (why): not stored.
        var sidecars: [[UInt8]: String?] = [:]

        init(
            _ directory: consuming Descriptor, _ path: FilePath, _ node: Node,
            parent: ParentDirectory
        ) {
            self.directory = directory
            self.path = path
            self.node = node
            self.parent = parent
        }
    }

    /// A file with several names: what its first one gave, and how many are still to come.
    private struct Linked {
        let node: Node
        let pending: PendingContent?
        let extents: [Extent]?
        var missing: UInt64
    }

    let request: ArchiveRequest
    let report: ArchiveReport
    let trees: TreeBuilder
    let content: ContentWriter
    let board: ContentBoard
    let recorder: DatabaseRecorder
    let world: World
    let isInterrupted: @Sendable () -> Bool
    private let opener: BlobOpener
    private let accounts = AccountNames()
    private let parentDatabases: [[UInt8]: Snapshot.Database]
    private(set) var databases: [Snapshot.Database] = []
    private(set) var totals = Snapshot.Totals()
    private var linked: [FileIdentity: Linked] = [:]
    private var eventsSinceFlush = 0
    /// Whether the entry just visited is there, but not in the tree, for its status was denied.
    private var missesEntry = false

    init(
        _ request: ArchiveRequest, in repository: Repository, parent: Snapshot?,
        report: ArchiveReport, trees: TreeBuilder, content: ContentWriter, board: ContentBoard,
        recorder: DatabaseRecorder, isInterrupted: @escaping @Sendable () -> Bool
    ) {
        self.request = request
        self.report = report
        self.trees = trees
        self.content = content
        self.board = board
        self.recorder = recorder
        self.isInterrupted = isInterrupted
        world = repository.world
        opener = BlobOpener(repository)
        parentDatabases = Dictionary(
            (parent?.databases ?? []).map { ($0.path, $0) }, uniquingKeysWith: { first, _ in first }
        )
    }

    // MARK: A stream

    /// Backs up a pipe as the one file of the snapshot.
    private func archive(_ stream: ArchiveStream) throws {
        let pending = PendingContent()
        try send(.enter)
        let size = try content.write(pending, expected: .max) { buffer in
            if isInterrupted() { throw Interrupted() }
            return try stream.descriptor.readAvailable(into: buffer)
        }
        board.complete(pending)
        try stream.finish()
        var status = try stream.descriptor.status()
        status.kind = .regular
        status.permissions = 0o600
        status.modified = world.clock.now()
        status.changed = status.modified
        status.links = 1
        status.userID = geteuid()
        status.groupID = getegid()
        var node = Node(name: stream.name, status: status, settled: false, content: .nothing)
        node.size = size
        nameOwners(&node)
        totals.files += 1
        totals.bytes += size
        count(.new, FilePath("/").appending(stream.name), status)
        try send(.entry(node, pending, extents: nil))
        try content.flush()
        try send(.leave(nil, complete: true))
    }

    // MARK: The way to the sources

    /// Walks everything; the tree builder has heard of the whole tree when this returns.
    func run(parent: Snapshot?) throws {
        if let stream = request.stream { return try archive(stream) }
        let plan = SourcePlan(request.paths)
        try send(.enter)
        if plan.root.isSource {
            let root = try Descriptor.open(FilePath("/"), flags: O_RDONLY | O_DIRECTORY)
            let node = Node(
                name: [], status: try root.status(), settled: true, content: .nothing)
            try walk(root, FilePath("/"), node, parent?.root ?? [], isRoot: true)
            return
        }
        try walk(plan.root, FilePath("/"), parent?.root ?? [])
        try content.flush()
        try send(.leave(nil, complete: false))
    }

    private func walk(_ branch: SourcePlan.Branch, _ path: FilePath, _ parentRuns: [BlobReference])
        throws
    {
        var parent = ParentDirectory(parentRuns, opener: opener)
        let directory = try Descriptor.open(path, flags: O_RDONLY | O_DIRECTORY)
        for name in branch.sortedNames {
            guard let child = branch.children[name] else { continue }
            let childPath = path.appending(name)
            let known = parent.node(named: name)
            if child.isSource {
                var sidecars: [[UInt8]: String?] = [:]
                try visit(name, in: directory, childPath, known, &sidecars)
            } else {
                let status = try FileStatus.of(childPath, followingLinks: true)
                try send(.enter)
                try walk(child, childPath, known?.runs ?? [])
                // Only the way to a source: what else lies here is not part of the snapshot.
                try send(.leave(wayNode(name, status, known), complete: false))
            }
        }
    }

    /// A directory on the way to a source. That something else in it came or went, and moved its
    /// time, is no change of the sources: it must not make a snapshot differ from its parent.
    private func wayNode(_ name: [UInt8], _ status: FileStatus, _ known: Node?) -> Node {
        if let known, known.kind == .directory, known.permissions == status.permissions,
            known.userID == status.userID, known.groupID == status.groupID
        {
            return known
        }
        var node = Node(name: name, status: status, settled: true, content: .nothing)
        nameOwners(&node)
        return node
    }

    // MARK: A source

    /// Visits one entry, and everything below it where it is a directory.
    private func visit(
        _ name: [UInt8], in directory: borrowing Descriptor, _ path: FilePath, _ known: Node?,
        _ sidecars: inout [[UInt8]: String?]
    ) throws {
        guard let node = try entry(name, in: directory, path, known, &sidecars),
            let opened = try open(node, in: directory, path)
        else { return }
        try walk(opened, path, node, known?.runs ?? [], isRoot: false)
    }

    /// Goes through a directory and all below it without recursion, however deep.
    private func walk(
        _ directory: consuming Descriptor, _ path: FilePath, _ node: Node,
        _ parentRuns: [BlobReference], isRoot: Bool
    ) throws {
        if !isRoot { try send(.enter) }
        var stack = [frame(directory, path, node, parentRuns)]
        while let top = stack.last {
            if isInterrupted() { throw Interrupted() }
            guard let name = top.names.popFirst() else {
                stack.removeLast()
                try leave(top, isRoot: isRoot && stack.isEmpty)
                continue
            }
            let childPath = top.path.appending(name)
            let known = top.parent.node(named: name)
            missesEntry = false
            let child = try entry(name, in: top.directory, childPath, known, &top.sidecars)
            if missesEntry { top.complete = false }
            guard let child, let opened = try open(child, in: top.directory, childPath) else {
                continue
            }
            try send(.enter)
            stack.append(frame(opened, childPath, child, known?.runs ?? []))
        }
    }

    private func leave(_ frame: Frame, isRoot: Bool) throws {
        if isRoot { try content.flush() }
        try send(.leave(isRoot ? nil : frame.node, complete: frame.complete))
    }

    /// Lists a directory; what cannot be listed is recorded as not complete.
    private func frame(
        _ directory: consuming Descriptor, _ path: FilePath, _ node: Node,
        _ parentRuns: [BlobReference]
    ) -> Frame {
        let frame = Frame(
            directory, path, node, parent: ParentDirectory(parentRuns, opener: opener))
        do {
            frame.names = try names(in: frame.directory, path)[...]
        } catch {
            report.problem(path, during: "listing", error)
            totals.unreadable += 1
            frame.complete = false
        }
        return frame
    }

    private func names(in directory: borrowing Descriptor, _ path: FilePath) throws -> [[UInt8]] {
        var names = try Directory.names(in: directory, path: path)
        if request.excludesIfPresent.contains(where: names.contains) { return [] }
        if request.excludesCaches, names.contains(CacheTag.name),
            CacheTag.isValid(in: directory)
        {
            return [CacheTag.name]
        }
        names.sort { $0.precedes($1) }
        return names
    }

    // MARK: One entry

    /// Records an entry that is no directory; returns the node of one that is.
    private func entry(
        _ name: [UInt8], in directory: borrowing Descriptor, _ path: FilePath, _ known: Node?,
        _ sidecars: inout [[UInt8]: String?]
    ) throws -> Node? {
        let status: FileStatus
        do {
            status = try FileStatus.of(name, in: directory)
        } catch {
            report.problem(path, during: "looking at it", error)
            if error.errno != .noSuchFile {
                totals.unreadable += 1
                missesEntry = true
            }
            return nil
        }
        guard !request.selection.excludes(path.bytes, isDirectory: status.kind == .directory),
            !request.forbidden.contains(FileIdentity(status))
        else { return nil }
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

    private func directoryNode(
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
        var node = Node(
            name: name, status: status, settled: isSettled(status), content: .nothing)
        nameOwners(&node)
        readAttributes(of: &node, in: directory, path)
        return node
    }

    /// Opens a directory to go into; nil where it is to stay unopened or cannot be opened.
    private func open(
        _ node: Node, in directory: borrowing Descriptor, _ path: FilePath
    ) throws -> Descriptor? {
        totals.directories += 1
        do {
            let opened = try Descriptor.open(
                node.name, in: directory, flags: O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
            let status = try opened.status()
            if request.staysOnFilesystem, try directory.status().device != status.device {
                var empty = node
                empty.content = .directory(runs: [], complete: true)
                try send(.entry(empty, nil, extents: nil))
                return nil
            }
            return opened
        } catch let error as SystemError {
            report.problem(path, during: "opening", error)
            totals.unreadable += 1
            var empty = node
            empty.content = .directory(runs: [], complete: false)
            try send(.entry(empty, nil, extents: nil))
            return nil
        }
    }

    private func special(
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

    // MARK: Files

    private func file(
        _ name: [UInt8], _ status: FileStatus, in directory: borrowing Descriptor,
        _ path: FilePath, _ known: Node?, _ sidecars: inout [[UInt8]: String?]
    ) throws {
        totals.files += 1
        if status.links > 1, try sendTwin(name, status, path) { return }
        if case .database = known?.content, !request.treatsDatabasesAsFiles {
            return try database(name, status, in: directory, path, known, &sidecars)
        }
        if let known, case .file = known.content, isUnchanged(known, status),
            !request.readsEverything
        {
            totals.bytes += status.size
            var node = known
            node.device = status.device
            remember(node, status)
            count(.unchanged, path, status)
            return try send(.entry(node, nil, extents: nil))
        }
        try changedFile(name, status, in: directory, path, known, &sidecars)
    }

    private func changedFile(
        _ name: [UInt8], _ status: FileStatus, in directory: borrowing Descriptor,
        _ path: FilePath, _ known: Node?, _ sidecars: inout [[UInt8]: String?]
    ) throws {
        let source: SourceFile
        do {
            source = try SourceFile(opening: name, in: directory, path: path)
        } catch {
            report.problem(path, during: "opening", error)
            return try sendUnreadable(name, status, "\(error)")
        }
        if !request.treatsDatabasesAsFiles, source.looksLikeDatabase {
            // Closed before libsqlite3 opens it: see the head of this file.
            source.close()
            return try database(name, status, in: directory, path, known, &sidecars)
        }
        try plain(source, name, in: directory, path, known)
    }

    private func plain(
        _ source: SourceFile, _ name: [UInt8], in directory: borrowing Descriptor,
        _ path: FilePath, _ known: Node?
    ) throws {
        defer { source.close() }
        var node = Node(
            name: name, status: source.status, settled: isSettled(source.status), content: .nothing)
        nameOwners(&node)
        readAttributes(of: &node, in: directory, path)
        let pending = PendingContent()
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
            totals.bytes += reading.size
            count(known == nil ? .new : .modified, path, source.status)
            remember(node, source.status, pending: pending, extents: reading.extents)
            try send(.entry(node, pending, extents: reading.extents))
        } catch let error as SystemError {
            board.complete(pending)
            report.problem(path, during: "reading", error)
            try sendUnreadable(name, source.status, "\(error)")
        }
    }

    // MARK: Databases

    private func database(
        _ name: [UInt8], _ status: FileStatus, in directory: borrowing Descriptor,
        _ path: FilePath, _ known: Node?, _ sidecars: inout [[UInt8]: String?]
    ) throws {
        do {
            let captured = try recorder.capture(path, known: parentDatabases[path.bytes])
            for suffix in ["-journal", "-shm", "-wal"] {
                sidecars[name + Array(suffix.utf8)] = .some(nil)
            }
            var node = Node(
                name: name, status: status, settled: isSettled(status),
                content: .database(captured.database.reference))
            nameOwners(&node)
            readAttributes(of: &node, in: directory, path)
            databases.append(captured.database)
            node.size = UInt64(captured.database.pageSize) * UInt64(captured.database.pageCount)
            totals.bytes += node.size
            report.update { $0.databases += 1 }
            report.say(.database(path: path, captured))
            count(
                known == nil ? .new : captured.changedPages > 0 ? .modified : .unchanged, path,
                status)
            remember(node, status)
            try send(.entry(node, nil, extents: nil))
        } catch let error as CaptureError where error.code == .notADatabase {
            report.update { $0.plainDatabases += 1 }
            report.say(.remark(path: path, "stored as a plain file: \(error)"))
            let source = try SourceFile(opening: name, in: directory, path: path)
            try plain(source, name, in: directory, path, known)
        } catch let error as CaptureError {
            for suffix in ["-journal", "-shm", "-wal"] {
                sidecars[name + Array(suffix.utf8)] = "belongs to a database that was not saved"
            }
            report.say(.problem(path: path, during: "capturing the database", reason: "\(error)"))
            try sendUnreadable(name, status, "\(error)")
        }
    }

    // MARK: What all entries share

    private func send(_ event: WalkEvent) throws {
        eventsSinceFlush += 1
        // The builder waits for pieces of files in the batch; it must not wait for ever.
        if world.workers == 0 || eventsSinceFlush > TreeBuilder.capacity / 4 {
            try content.flush()
            eventsSinceFlush = 0
        }
        try trees.send(event)
    }

    private func sendUnreadable(_ name: [UInt8], _ status: FileStatus, _ reason: String) throws {
        totals.unreadable += 1
        var node = Node(
            name: name, status: status, settled: false,
            content: .unreadable(reason: String(reason.prefix(1000))))
        nameOwners(&node)
        try send(.entry(node, nil, extents: nil))
    }

    private func isUnchanged(_ known: Node, _ status: FileStatus) -> Bool {
        known.settled && known.inode == status.inode && known.size == status.size
            && known.modified == status.modified && known.changed == status.changed
    }

    /// Whether both times lie 2 s and more before now, so that a later change must show in them.
    private func isSettled(_ status: FileStatus) -> Bool {
        let limit = world.clock.now().adding(nanoseconds: -2_000_000_000)
        return status.modified < limit && status.changed < limit
    }

    private func nameOwners(_ node: inout Node) {
        node.userName = accounts.userName(of: node.userID) ?? ""
        node.groupName = accounts.groupName(of: node.groupID) ?? ""
    }

    private func readAttributes(
        of node: inout Node, in directory: borrowing Descriptor, _ path: FilePath
    ) {
        do {
            node.attributes = try ExtendedAttribute.read(of: node.name, in: directory)
        } catch {
            report.problem(path, during: "reading extended attributes", error)
        }
    }

    /// Keeps what the first name of a file gave, so that it is read once.
    private func remember(
        _ node: Node, _ status: FileStatus, pending: PendingContent? = nil,
        extents: [Extent]? = nil
    ) {
        guard status.links > 1 else { return }
        linked[FileIdentity(status)] = Linked(
            node: node, pending: pending, extents: extents, missing: status.links - 1)
    }

    /// Records a further name of a file that was read already; false where this is the first.
    private func sendTwin(_ name: [UInt8], _ status: FileStatus, _ path: FilePath) throws -> Bool {
        guard var twin = linked[FileIdentity(status)] else { return false }
        twin.missing -= 1
        linked[FileIdentity(status)] = twin.missing == 0 ? nil : twin
        var node = twin.node
        node.name = name
        count(.unchanged, path, status)
        try send(.entry(node, twin.pending, extents: twin.extents))
        return true
    }

    private func count(_ action: ArchiveNotice.Action, _ path: FilePath, _ status: FileStatus) {
        report.update { counts in
            switch action {
            case .new: counts.newFiles += 1
            case .modified: counts.changedFiles += 1
            case .unchanged: counts.unchangedFiles += 1
            }
            counts.bytes += status.size
            counts.current = path
        }
        report.say(.item(action, path: path, kind: status.kind, bytes: status.size))
    }
}

extension Node {
    /// The runs of a directory; empty for anything else.
    package var runs: [BlobReference] {
        if case .directory(let runs, _) = content { return runs }
        return []
    }
}
