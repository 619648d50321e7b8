// A restore, in passes over the snapshot's tree:
//
//     1. directories, files, links, devices: content on all cores, each piece proved by its id
//     2. hard links, once what they link to is there
//     3. databases, one after another, each on all cores
//     4. what the snapshot does not have is removed, where that was asked for
//     5. with `--verify`, all of it is read again
//     6. directories' own metadata, innermost first, since all the above changes their times
//
// The repository is hostile input: names are single path components (the decoder refuses others),
// every step goes from an open directory to a name in it, and no link is followed.

import Codec
import Glibc
import Platform
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
    private let isInterrupted: @Sendable () -> Bool
    private var batch: [(file: RestoredFile, parts: [RestoredFile.Part])] = []
    private var batchBytes = 0
    private var firstNames: [FileLinkGroup: [[UInt8]]] = [:]
    private var hardLinks: [(way: [[UInt8]], node: Node, first: [[UInt8]])] = []
    private var databases: [(way: [[UInt8]], node: Node)] = []
    /// The directories from the target to where ``parent(of:_:)`` was last, since the next is near.
    private var trail: [(name: [UInt8], directory: TargetDirectory)] = []

    /// BOOTTIME when everything was written and nothing yet read again.
    package private(set) var restoredAt: UInt64?

    private static let batchLimit = 256 << 10
    private static let partLimit = 8 << 20

    package init(
        from repository: Repository, _ request: RestoreRequest, report: RestoreReport,
        isInterrupted: @escaping @Sendable () -> Bool
    ) {
        self.repository = repository
        self.request = request
        self.report = report
        self.isInterrupted = isInterrupted
        browser = SnapshotBrowser(repository)
        metadata = FileMetadata(report: report)
        pool = WorkPool(repository, level: .fast, failure: FirstFailure())
    }

    /// Restores a snapshot, or a part of one, at the target.
    package func run(_ source: RestoreSource) throws {
        defer { pool.finish() }
        let (runs, single) = (source.runs, source.single)
        guard
            let target = try TargetDirectory.target(request.target, create: !request.dryRun)
        else {
            return try dryRun(runs, single)
        }
        if let single {
            _ = try restore(single, in: target, way: [])
        } else {
            try contents(runs, target)
        }
        try flush()
        try pool.drain()
        try linkFiles(target)
        try restoreDatabases(target)
        if request.deletes, single == nil {
            try deleteStrangers(runs, target, complete: source.complete)
        }
        guard !request.dryRun else { return }
        restoredAt = repository.world.clock.bootTime()
        if request.verifies { try RestoreVerification(of: self).run(runs, single: single) }
        try finishDirectories(runs, target)
    }

    private func dryRun(_ runs: [BlobReference], _ single: Node?) throws {
        if let single {
            report.say(
                .item(.restored, path: request.target.appending(single.name), bytes: single.size))
        }
        try browser.walk(runs, at: request.target) { node, path in
            guard mayEnter(node, path) else { return false }
            if selects(node, path) {
                report.say(
                    .item(.restored, path: path, bytes: node.kind == .regular ? node.size : 0))
            }
            return true
        }
    }

    // MARK: Selection

    /// The path of an entry as the patterns see it: below the target, from the root.
    private func patternPath(_ path: FilePath) -> [UInt8] {
        let rest = path.bytes.dropFirst(
            request.target.bytes == [0x2F] ? 0 : request.target.bytes.count)
        return Array(rest)
    }

    func selects(_ path: FilePath, isDirectory: Bool) -> Bool {
        request.selection.selects(patternPath(path), isDirectory: isDirectory)
    }

    private func selects(_ node: Node, _ path: FilePath) -> Bool {
        selects(path, isDirectory: node.kind == .directory)
    }

    func mayEnter(_ node: Node, _ path: FilePath) -> Bool {
        node.kind != .directory || selects(node, path)
            || request.selection.mayContain(patternPath(path))
    }

    // MARK: Pass 1

    /// A directory of the snapshot beside the one it is restored into.
    private final class Frame {
        let directory: TargetDirectory
        let way: [[UInt8]]
        var runs: ArraySlice<BlobReference>
        var nodes: ArraySlice<Node> = []

        init(_ directory: TargetDirectory, _ way: [[UInt8]], _ runs: [BlobReference]) {
            self.directory = directory
            self.way = way
            self.runs = runs[...]
        }
    }

    private func contents(_ runs: [BlobReference], _ target: TargetDirectory) throws {
        var stack = [Frame(target, [], runs)]
        while let top = stack.last {
            if isInterrupted() { throw Interrupted() }
            if let node = top.nodes.popFirst() {
                let way = top.way + [node.name]
                if let inner = try restore(node, in: top.directory, way: way) {
                    stack.append(Frame(inner, way, node.runs))
                }
            } else if let run = top.runs.popFirst() {
                top.nodes = nodes(of: run, top.directory.path)[...]
            } else {
                stack.removeLast()
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
        _ node: Node, in directory: TargetDirectory, way: [[UInt8]]
    ) throws -> TargetDirectory? {
        let path = directory.path.appending(node.name)
        guard mayEnter(node, path) else { return nil }
        if node.kind == .directory { return enter(node, in: directory, path) }
        guard selects(node, path) else { return nil }
        do {
            try restoreFile(node, in: directory, way: way, path)
        } catch let error as SystemError {
            report.problem(path, during: "restoring", error)
        }
        return nil
    }

    private func enter(
        _ node: Node, in directory: TargetDirectory, _ path: FilePath
    ) -> TargetDirectory? {
        do {
            if let status = try directory.status(node.name) {
                guard status.kind == .directory || canReplace(status, path) else { return nil }
                if status.kind != .directory, !request.dryRun { try directory.remove(node.name) }
            }
            if try directory.status(node.name) == nil {
                guard !request.dryRun else { return nil }
                try FileTree.makeDirectory(node.name, in: directory.descriptor, permissions: 0o700)
            }
            report.update { $0.directories += 1 }
            return try directory.open(node.name)
        } catch {
            report.problem(path, during: "making the directory", error)
            return nil
        }
    }

    /// Whether an entry that is in the way may go; a directory only goes with `--delete`.
    private func canReplace(_ status: FileStatus, _ path: FilePath) -> Bool {
        let may = status.kind == .directory ? request.deletes : request.overwrite != .never
        if !may {
            report.say(
                .problem(path: path, during: "restoring", reason: "a \(status.kind) is in the way"))
        }
        return may
    }

    private func restoreFile(
        _ node: Node, in directory: TargetDirectory, way: [[UInt8]], _ path: FilePath
    ) throws {
        if case .unreadable(let reason) = node.content {
            report.say(.remark(path: path, "not in the snapshot: \(reason)"))
            return
        }
        if case .database = node.content {
            databases.append((way.isEmpty ? [node.name] : way, node))
            return
        }
        let existing = try directory.status(node.name)
        if let existing, !(try shouldReplace(existing, by: node, path)) { return }
        if request.dryRun {
            report.say(.item(existing == nil ? .restored : .updated, path: path, bytes: node.size))
            return
        }
        if let existing, existing.kind == .directory { try directory.remove(node.name) }
        if let first = firstName(of: node, way) {
            hardLinks.append((way, node, first))
        } else if case .file(let pieces, let extents) = node.content {
            try queue(node, pieces, extents, in: directory)
        } else {
            try restoreSpecial(node, in: directory, path)
        }
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
    private func firstName(of node: Node, _ way: [[UInt8]]) -> [[UInt8]]? {
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

    private func temporaryName() -> [UInt8] {
        Array(".holdfast-\(repository.world.randomness.bytes(8).hex)".utf8)
    }

    // MARK: Contents

    private func queue(
        _ node: Node, _ pieces: [BlobReference], _ extents: [Extent]?, in directory: TargetDirectory
    ) throws {
        let groups = split(pieces)
        let file = RestoredFile(
            node, extents: extents, in: directory, parts: groups.count, temporary: temporaryName(),
            metadata: metadata)
        guard groups.count == 1, node.size < Restorer.batchLimit else {
            for parts in groups {
                let bytes = parts.reduce(0) { $0 + $1.piece.size }
                try pool.submit(bytes: bytes) { file.write(parts, with: $0) }
            }
            return
        }
        batch.append((file, groups[0]))
        batchBytes += Int(node.size)
        if batchBytes >= Restorer.batchLimit || batch.count == 64 { try flush() }
    }

    /// Pieces in runs that one job writes; an empty file has one empty run.
    private func split(_ pieces: [BlobReference]) -> [[RestoredFile.Part]] {
        var groups: [[RestoredFile.Part]] = [[]]
        var offset: UInt64 = 0
        var size = 0
        for piece in pieces {
            if size > 0, size + piece.size > Restorer.partLimit {
                groups.append([])
                size = 0
            }
            groups[groups.count - 1].append(RestoredFile.Part(piece: piece, offset: offset))
            offset += UInt64(piece.size)
            size += piece.size
        }
        return groups
    }

    private func flush() throws {
        guard !batch.isEmpty else { return }
        let files = batch
        let bytes = batchBytes
        batch = []
        batchBytes = 0
        try pool.submit(bytes: bytes) { tools in
            for (file, parts) in files { file.write(parts, with: tools) }
        }
    }

    // MARK: Pass 2 and 3

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

    private func linkFiles(_ target: TargetDirectory) throws {
        for (way, node, first) in hardLinks {
            let path = way.reduce(target.path) { $0.appending($1) }
            do {
                let directory = try parent(of: way, target)
                let source = try parent(of: first, target)
                let temporary = temporaryName()
                try FileTree.makeHardLink(
                    temporary, in: directory.descriptor, to: first[first.count - 1],
                    in: source.descriptor)
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

    private func restoreDatabases(_ target: TargetDirectory) throws {
        guard !databases.isEmpty else { return }
        let recovery = try DatabaseRecovery(from: repository)
        for (way, node) in databases {
            if isInterrupted() { throw Interrupted() }
            let path = way.reduce(target.path) { $0.appending($1) }
            do {
                let directory = try parent(of: way, target)
                try RestoredDatabase(
                    node, in: directory, temporary: temporaryName(), request: request,
                    metadata: metadata
                ).restore(with: recovery, pool: pool)
            } catch {
                report.problem(path, during: "restoring the database", error)
            }
        }
    }

    // MARK: Pass 4 and 5

    private func deleteStrangers(
        _ runs: [BlobReference], _ target: TargetDirectory, complete: Bool
    ) throws {
        try StrangerRemoval(self).run(runs, target, complete: complete)
    }

    private func finishDirectories(_ runs: [BlobReference], _ target: TargetDirectory) throws {
        try browser.walk(runs, at: target.path) { node, path in
            node.kind == .directory && mayEnter(node, path)
        } leave: { node, path in
            let way = Array(path.components.dropFirst(target.path.components.count))
            do {
                let directory = try parent(of: way, target)
                guard try directory.status(node.name)?.kind == .directory else { return }
                metadata.apply(node, to: node.name, in: directory)
            } catch {
                report.problem(path, during: "finishing the directory", error)
            }
        }
    }
}

/// All names of one file.
struct FileLinkGroup: Hashable {
    let device: UInt64
    let inode: UInt64
}
