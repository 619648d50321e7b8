// Walks the sources and reads what changed, on one thread.
//
// That it is one thread is what keeps databases safe: closing any descriptor of a database file
// drops the locks that libsqlite3 holds on it in this process. Here no file of a source is open
// while a database is captured, and none of a database while files are read.

import Codec
import Glibc
import Platform
import Repository
import Timeline

/// One pass over the sources of a backup.
final class SourceWalk {
    /// A directory on the way from a source to where the walk is.
    private final class Frame {
        let node: Node
        var names: ArraySlice<[UInt8]> = []
        /// What the scout saw of each name; empty where it saw nothing.
        var seen: ArraySlice<FileStatus?> = []
        var parent: ParentDirectory
        var complete = true
        /// Files beside a database that was captured (nil) or could not be (why): not stored.
        var sidecars: [[UInt8]: String?] = [:]

        init(_ node: Node, parent: ParentDirectory) {
            self.node = node
            self.parent = parent
        }
    }

    /// A file with several names: what its first one gave, and how many are still to come.
    struct Linked {
        let path: FilePath
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
    /// Into how many extents holes may cut a file.
    let mostExtents: Int
    let repository: Repository
    /// Whether all that the parent snapshot names is known to be stored.
    let trustsParent: Bool
    let opener: BlobOpener
    let accounts = AccountNames()
    let parentHasPlainDatabases: Bool
    let parentDatabases: [[UInt8]: Snapshot.Database]
    var databases: [Snapshot.Database] = []
    var totals = Snapshot.Totals()
    private let marks: [DirectoryMark]
    var linked: [FileIdentity: Linked] = [:]
    var eventsSinceFlush = 0
    /// Whether the entry just visited is there, but not in the tree: its status was denied, or it
    /// is the repository.
    var missesEntry = false

    init(
        _ request: ArchiveRequest, in repository: Repository, parent: StoredSnapshot?,
        report: ArchiveReport, trees: TreeBuilder, content: ContentWriter, board: ContentBoard,
        recorder: DatabaseRecorder, mostExtents: Int,
        isInterrupted: @escaping @Sendable () -> Bool
    ) throws {
        self.request = request
        self.report = report
        self.trees = trees
        self.content = content
        self.board = board
        self.recorder = recorder
        self.isInterrupted = isInterrupted
        self.mostExtents = mostExtents
        self.repository = repository
        trustsParent = try parent.map { try repository.trusts($0.id) } ?? true
        world = repository.world
        marks =
            request.excludesIfPresent.map { DirectoryMark($0) }
            + (request.excludesCaches ? [.cache] : [])
        parentHasPlainDatabases = parent?.snapshot.treatsDatabasesAsFiles ?? false
        opener = BlobOpener(repository)
        parentDatabases = Dictionary(
            (parent?.snapshot.databases ?? []).map { ($0.path, $0) },
            uniquingKeysWith: { first, _ in first })
    }

    /// Walks everything; the tree builder has heard of the whole tree when this returns.
    func run(parent: Snapshot?) throws {
        if let stream = request.stream { return try archive(stream) }
        try walkSources(parent)
        remarkOnNamesElsewhere()
    }

    private func walkSources(_ parent: Snapshot?) throws {
        let plan = SourcePlan(request.paths)
        try send(.enter)
        if plan.root.isSource {
            let root = try Descriptor.open(FilePath("/"), flags: O_RDONLY | O_DIRECTORY)
            let node = Node(
                name: [], status: try root.status(), settled: true, content: .nothing)
            try walk(
                OpenDirectory(root, FilePath("/")), node, parent?.root ?? [], isRoot: true)
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

    /// Visits one entry, and everything below it where it is a directory.
    private func visit(
        _ name: [UInt8], in directory: borrowing Descriptor, _ path: FilePath, _ known: Node?,
        _ sidecars: inout [[UInt8]: String?]
    ) throws {
        guard let node = try entry(name, in: directory, path, known, &sidecars),
            let opened = try open(node, in: directory, path, isSource: true)
        else { return }
        try walk(opened, node, known?.runs ?? [], isRoot: false)
    }

    /// Goes through a directory and all below it without recursion, however deep.
    private func walk(
        _ directory: OpenDirectory, _ node: Node, _ parentRuns: [BlobReference], isRoot: Bool
    ) throws {
        if !isRoot { try send(.enter) }
        var stack = [frame(directory, node, parentRuns)]
        var trail = DirectoryTrail(from: directory)
        var path = directory.path
        while let top = stack.last {
            if isInterrupted() { throw Interrupted() }
            guard let name = top.names.popFirst() else {
                stack.removeLast()
                try leave(top, isRoot: isRoot && stack.isEmpty)
                trail.leave(to: max(0, stack.count - 1))
                path = path.parent
                continue
            }
            guard let directory = reach(top, &trail, path) else { continue }
            let seen = top.seen.popFirst() ?? nil
            let childPath = path.appending(name)
            let known = top.parent.node(named: name)
            missesEntry = false
            let child = try entry(
                name, in: directory.descriptor, childPath, known, &top.sidecars, seen: seen)
            if missesEntry { top.complete = false }
            guard let child, let opened = try open(child, in: directory.descriptor, childPath)
            else { continue }
            try send(.enter)
            try trail.enter(opened, as: name)
            stack.append(frame(opened, child, known?.runs ?? []))
            path = childPath
        }
    }

    /// The directory that the walk has come back to; where it is not to be found any more, what is
    /// left of it is missing.
    private func reach(
        _ frame: Frame, _ trail: inout DirectoryTrail, _ path: FilePath
    ) -> OpenDirectory? {
        do {
            return try trail.innermost()
        } catch {
            report.problem(path, during: "going back to it", error)
            totals.unreadable += 1
            frame.complete = false
            frame.names = []
            return nil
        }
    }

    private func leave(_ frame: Frame, isRoot: Bool) throws {
        if isRoot { try content.flush() }
        try send(.leave(isRoot ? nil : frame.node, complete: frame.complete))
    }

    /// Lists a directory; what cannot be listed is recorded as not complete.
    private func frame(
        _ directory: OpenDirectory, _ node: Node, _ parentRuns: [BlobReference]
    ) -> Frame {
        let frame = Frame(node, parent: ParentDirectory(parentRuns, opener: opener))
        do {
            let scouted = try request.scout?.take(directory.descriptor.status())
            let listed =
                try scouted?.names
                ?? Directory.names(in: directory.descriptor, path: directory.path)
                .sorted { $0.precedes($1) }
            let chosen = chosen(listed, in: directory.descriptor)
            frame.names = chosen[...]
            if let scouted, chosen.count == listed.count { frame.seen = scouted.statuses[...] }
            // What is left out unseen may not be taken for absent by a restore that deletes.
            frame.complete = chosen.count == listed.count
        } catch {
            report.problem(directory.path, during: "listing", error)
            totals.unreadable += 1
            frame.complete = false
        }
        return frame
    }

    /// The names of a directory that belong to the backup; of one that bears a mark only the mark.
    private func chosen(_ names: [[UInt8]], in directory: borrowing Descriptor) -> [[UInt8]] {
        for mark in marks where mark.isPresent(among: names, in: directory) { return [mark.name] }
        return names
    }
}
