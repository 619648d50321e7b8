// A restore, in passes over the snapshot's tree:
//
//     1. directories, files, links, devices: content on all cores, each piece proved by its id
//     2. hard links, once what they link to is there
//     3. databases, one after another, each on all cores
//     4. what the snapshot does not have is removed, where that was asked for
//     5. with `--verify`, all of it is read again
//     6. directories' own metadata, innermost first, since all the above changes their times
//     7. the file systems that were written to are synced, each once
//
// The repository is hostile input: names are single path components (the decoder refuses others),
// every step goes from an open directory to a name in it, and no link is followed.

import Codec
import Glibc
package import Platform
package import Repository
import Timeline

/// Puts a snapshot, or a part of one, into a directory.
package final class Restorer {
    let repository: Repository
    let request: RestoreRequest
    let report: RestoreReport
    let browser: SnapshotBrowser
    let metadata: FileMetadata
    let pool: WorkPool
    let isInterrupted: @Sendable () -> Bool
    var batch: [(file: RestoredFile, parts: [RestoredFile.Part])] = []
    var batchBytes = 0
    /// The directory that waits for workers and was counted last.
    var lastPinned: TargetDirectory?
    var firstNames: [FileLinkGroup: TargetWay] = [:]
    var hardLinks: [(way: TargetWay, node: Node, first: TargetWay, staleLogs: StaleLogs)] = []
    var databases: [(way: TargetWay, node: Node)] = []
    var source = RestoreSource([])
    /// Where the restore is in the target; nil where a dry run finds no target.
    var trail: TargetTrail?

    /// The file systems that are written to: by device, the first directory of each.
    private var devices: [UInt64: TargetDirectory] = [:]
    private let sync: (borrowing Descriptor) throws -> Void
    private let temporaryPrefix: [UInt8]
    private var temporaries: UInt64 = 0

    /// BOOTTIME when everything was written and nothing yet read again.
    package internal(set) var restoredAt: UInt64?

    /// Bytes of memory that a file takes while it waits for a worker, roughly.
    static let fileCost = 2048
    static let batchLimit = 256 << 10
    /// The same of a directory, so that a quarter of the descriptors is enough for all.
    let directoryCost = WorkPool.budgetBytes / max(16, min(1024, OpenFiles.limit / 4))

    /// - Parameter sync: makes the file system of an open directory durable.
    package init(
        from repository: Repository, _ request: RestoreRequest, report: RestoreReport,
        sync: @escaping (borrowing Descriptor) throws -> Void = { try $0.syncFileSystem() },
        isInterrupted: @escaping @Sendable () -> Bool
    ) {
        self.repository = repository
        self.request = request
        self.report = report
        self.sync = sync
        self.isInterrupted = isInterrupted
        browser = SnapshotBrowser(repository)
        temporaryPrefix =
            TemporaryName.prefix + Array("\(repository.world.randomness.bytes(8).hex)-".utf8)
        metadata = FileMetadata(report: report, owners: request.owners)
        pool = WorkPool(repository, level: .fast, failure: FirstFailure())
    }

    /// Restores a snapshot, or a part of one, at the target.
    package func run(_ source: RestoreSource) throws {
        defer { pool.finish() }
        let (runs, single) = (source.runs, source.single)
        self.source = source
        let missing = try TargetDirectory.missing(request.target)
        let target = try TargetDirectory.target(request.target, create: !request.dryRun)
        guard try target?.lies(in: request.spared) != true else { throw Restorer.holdsRepository }
        if let target { try willWrite(in: target) }
        trail = target.map { TargetTrail(from: $0) }
        let root = try RestoredDirectory(target)
        if let single {
            _ = try restore(single, in: root, at: request.target)
        } else {
            try contents(runs, root)
        }
        try queueStrangers(in: target)
        try flush()
        try pool.drain()
        try report.checkRoom()
        guard let target else { return }
        guard !request.selection.hasIncludes || !report.counts.isNothing else {
            return try TargetDirectory.remove(missing)
        }
        try linkFiles()
        try restoreDatabases()
        if request.deletes, single == nil {
            try StrangerRemoval(self).run(runs, target, complete: source.complete)
        }
        guard !request.dryRun else { return }
        restoredAt = repository.world.clock.bootTime()
        try report.checkRoom()
        if request.verifies { try RestoreVerification(of: self).run(runs, single: single) }
        try finishDirectories(runs)
        if let directory = source.directory {
            metadata.apply(directory, to: [UInt8(ascii: ".")], in: target)
        }
        if request.syncs { try syncFileSystems() }
    }

    /// Keeps a directory of each file system, from before anything is written there: a sync tells
    /// of the writes that were lost since its descriptor was opened.
    func willWrite(in directory: TargetDirectory) throws {
        let device = try directory.descriptor.status().device
        if devices[device] == nil { devices[device] = directory }
    }

    private func syncFileSystems() throws {
        for directory in devices.values {
            do {
                try sync(directory.descriptor)
            } catch {
                report.problem(directory.path, during: "syncing the file system", error)
            }
        }
        // Some file systems find out only now that there is no room.
        try report.checkRoom()
    }

    /// The path of an entry as the patterns see it: below the target, from the root.
    func patternPath(_ path: FilePath) -> [UInt8] {
        let rest = path.bytes.dropFirst(
            request.target.bytes == [0x2F] ? 0 : request.target.bytes.count)
        return Array(rest)
    }

    func selects(_ path: FilePath, isDirectory: Bool) -> Bool {
        request.selection.isEverything
            || request.selection.selects(patternPath(path), isDirectory: isDirectory)
    }

    func selects(_ node: Node, _ path: FilePath) -> Bool {
        selects(path, isDirectory: node.kind == .directory)
    }

    func mayEnter(_ node: Node, _ path: FilePath) -> Bool {
        node.kind != .directory || selects(node, path)
            || request.selection.mayContain(patternPath(path))
    }

    /// A directory that is being gone through.
    private final class Frame {
        let directory: RestoredDirectory
        var runs: ArraySlice<BlobReference>
        var nodes: ArraySlice<Node> = []

        init(_ directory: RestoredDirectory, _ runs: [BlobReference]) {
            self.directory = directory
            self.runs = runs[...]
        }
    }

    private func contents(_ runs: [BlobReference], _ target: RestoredDirectory) throws {
        var stack = [Frame(target, runs)]
        var place = request.target
        while let top = stack.last {
            if isInterrupted() { throw Interrupted() }
            try report.checkRoom()
            if let node = top.nodes.popFirst() {
                if let inner = try restore(node, in: top.directory, at: place) {
                    stack.append(Frame(inner, node.runs))
                    place = place.appending(node.name)
                }
            } else if let run = top.runs.popFirst() {
                top.nodes = nodes(of: run, place)[...]
            } else {
                stack.removeLast()
                place = place.parent
            }
        }
    }

    private func nodes(of run: BlobReference, _ path: FilePath) -> [Node] {
        do {
            return try browser.nodes(of: run)
        } catch {
            report.problem(path, during: "reading the directory's listing", error)
            return []
        }
    }

    /// Restores one entry, or queues it; returns the directory to go into.
    private func restore(
        _ node: Node, in parent: RestoredDirectory, at place: FilePath
    ) throws -> RestoredDirectory? {
        let path = place.appending(node.name)
        guard mayEnter(node, path) else { return nil }
        if node.kind == .directory {
            let directory = RestoredDirectory(node, in: parent)
            // One that is only on the way to what was asked for waits until that is met.
            guard selects(node, path) else { return directory }
            report.update { counts in
                counts.asked += 1
                counts.askedDirectories += 1
            }
            return directory.make(for: self) ? directory : nil
        }
        guard selects(node, path) else { return nil }
        report.update { $0.asked += 1 }
        if case .unreadable(let reason) = node.content {
            if !comesFromHistory(path) { report.say(.absent(path: path, reason: reason)) }
            return nil
        }
        guard parent.make(for: self) else { return nil }
        do {
            try restoreFile(node, in: parent, path)
        } catch let error as SystemError {
            report.problem(path, during: "restoring", error)
        }
        return nil
    }

    /// Whether an entry that is in the way may go; a directory only goes with `--delete`.
    func canReplace(_ status: FileStatus, _ path: FilePath) -> Bool {
        let may = status.kind == .directory ? request.deletes : request.overwrite != .never
        if !may {
            report.say(
                .problem(
                    path: path, during: "restoring", reason: "a \(status.kind.noun) is in the way"))
        }
        return may
    }

    private func restoreFile(
        _ node: Node, in parent: RestoredDirectory, _ path: FilePath
    ) throws {
        // In a dry run it may not be there yet.
        guard !parent.isAbsent else {
            return report.say(.item(.restored, path: path, bytes: node.size))
        }
        guard let directory = parent.reach(for: self) else { return }
        let way = TargetWay(node.name, below: parent.way)
        if case .database = node.content {
            databases.append((way, stated(node, path)))
            return
        }
        let existing = try directory.status(node.name)
        if let existing, !(try shouldReplace(existing, by: node, path)) { return }
        if request.dryRun {
            report.say(.item(existing == nil ? .restored : .updated, path: path, bytes: node.size))
            return
        }
        if let existing, existing.kind == .directory,
            try !directory.remove(node.name, sparing: request.spared)
        {
            return report.problem(path, during: "restoring", Restorer.holdsRepository)
        }
        let staleLogs = parent.staleLogs.beside(node.name)
        if let first = firstName(of: node, way) {
            hardLinks.append((way, node, first, staleLogs))
        } else if case .file(let pieces, let extents) = node.content {
            try queue(node, pieces, extents, in: directory, staleLogs)
        } else {
            try restoreSpecial(node, in: directory, path)
        }
    }

    static var holdsRepository: RepositoryError {
        RepositoryError(
            .exists, "the repository, or its cache, lies there",
            hint: "Restore to another directory.")
    }

    private func shouldReplace(
        _ existing: FileStatus, by node: Node, _ path: FilePath
    ) throws -> Bool {
        let keeps =
            switch request.overwrite {
            case .never: true
            case .always: false
            case .ifNewer: existing.modified >= node.modified
            case .ifChanged:
                existing.kind == node.kind && existing.modified == node.modified
                    && existing.size == node.size
            }
        if keeps {
            report.update { $0.skipped += 1 }
            report.say(.item(.unchanged, path: path, bytes: 0))
            return false
        }
        return existing.kind != .directory || canReplace(existing, path)
    }

    /// Where the first name of a file with several was restored; nil for that first name itself.
    func firstName(of node: Node, _ way: TargetWay) -> TargetWay? {
        guard node.links > 1 else { return nil }
        let group = FileLinkGroup(device: node.device, inode: node.inode)
        if let first = firstNames[group] { return first }
        firstNames[group] = way
        return nil
    }

    private func restoreSpecial(
        _ node: Node, in directory: TargetDirectory, _ path: FilePath
    ) throws {
        let temporary = temporaryName()
        switch node.content {
        case .link(let target):
            try FileTree.makeSymbolicLink(temporary, in: directory.descriptor, target: target)
        case .device(let number):
            try FileTree.makeNode(
                temporary, in: directory.descriptor, kind: node.kind, device: number)
        default:
            try FileTree.makeNode(temporary, in: directory.descriptor, kind: node.kind, device: 0)
        }
        metadata.apply(node, to: temporary, in: directory)
        try FileTree.rename(
            temporary, in: directory.descriptor, to: node.name, in: directory.descriptor)
        report.update { $0.files += 1 }
        report.say(.item(.restored, path: path, bytes: 0))
    }

    /// A name that nothing else has: random for this restore, then counted.
    func temporaryName() -> [UInt8] {
        temporaries += 1
        return temporaryPrefix + Array(String(temporaries, radix: 16).utf8)
    }
}

/// All names of one file.
struct FileLinkGroup: Hashable {
    let device: UInt64
    let inode: UInt64
}
