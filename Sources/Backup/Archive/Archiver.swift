// A backup, from the sources to the snapshot:
//
//     lease → parent snapshot → walk (reads, captures databases) → blobs durable
//           → segments durable → snapshot, the only commit point
//
// A crash anywhere before the last step leaves what was there before, and packs that prune finds.

import Platform
package import Repository
import Timeline

/// Makes snapshots of sources.
package struct Archiver {
    private let repository: Repository
    private let lease: HeldLease
    private let report: ArchiveReport
    private let lists: PieceListShape
    private let mostExtents: Int
    private let isInterrupted: @Sendable () -> Bool

    /// - Parameters:
    ///   - lease: taken, and the catalogue refreshed under it, by the caller.
    ///   - lists: how long lists of pieces are.
    ///   - mostExtents: into how many extents holes may cut a file; fewer only in tests.
    package init(
        into repository: Repository, under lease: HeldLease, report: ArchiveReport,
        lists: PieceListShape = .standard, mostExtents: Int = Node.mostExtents,
        isInterrupted: @escaping @Sendable () -> Bool
    ) {
        self.repository = repository
        self.lease = lease
        self.report = report
        self.lists = lists
        self.mostExtents = mostExtents
        self.isInterrupted = isInterrupted
    }

    /// Backs up the request's paths; throws what makes the whole backup fail.
    package func run(_ request: ArchiveRequest) throws -> ArchiveOutcome {
        let began = repository.world.clock.bootTime()
        let parent = try parent(of: request)
        if parent == nil { request.scout?.stop() }
        report.update { counts in
            counts.expected = parent.map { ($0.snapshot.totals.files, $0.snapshot.totals.bytes) }
        }
        let store = BlobStore(
            repository, lease: lease, level: request.compression, dryRun: request.dryRun)
        let board = ContentBoard(failure: store.pool.failure, lists: lists)
        let trees = TreeBuilder(repository, store: store, board: board) { [repository] in
            Tools(repository, level: request.compression)
        }
        do {
            let content = ContentWriter(store, board, chunker: repository.keys.chunker())
            let recorder = try DatabaseRecorder(
                in: repository, under: lease, store: store, host: request.host,
                scratch: request.scratch, patience: request.patience)
            let walk = try SourceWalk(
                request, in: repository, parent: parent, report: report, trees: trees,
                content: content, board: board, recorder: recorder, mostExtents: mostExtents,
                isInterrupted: isInterrupted)
            try walk.run(parent: parent?.snapshot)
            let root = try trees.finish()
            var stored = try store.finish()
            // Segments are written beside the store; what they take is added all the same.
            stored.added += recorder.pendingBytes
            stored.stored += recorder.pendingBytes
            var snapshot = snapshot(request, walk, root, parent, stored)
            snapshot.duration = repository.world.clock.bootTime() - began
            return try commit(snapshot, request, parent, recorder, stored)
        } catch {
            store.cancel(because: error)
            trees.stop()
            throw error
        }
    }

    private func commit(
        _ snapshot: Snapshot, _ request: ArchiveRequest, _ parent: StoredSnapshot?,
        _ recorder: DatabaseRecorder, _ stored: StoreStatistics
    ) throws -> ArchiveOutcome {
        let unchanged =
            parent.map {
                $0.snapshot.root == snapshot.root && $0.snapshot.databases == snapshot.databases
            } ?? false
        guard !request.dryRun, !(request.skipsIfUnchanged && unchanged) else {
            return ArchiveOutcome(snapshot: nil, counts: report.counts, stored: stored)
        }
        if isInterrupted() { throw Interrupted() }
        try recorder.publish()
        let saved = try repository.save(snapshot, under: lease)
        do {
            try repository.catalogue.note(whole: saved.id, instead: parent?.id)
        } catch {
            // The snapshot is saved all the same; the next backup looks for each piece.
        }
        return ArchiveOutcome(snapshot: saved, counts: report.counts, stored: stored)
    }

    /// The newest snapshot of the same host and paths.
    private func parent(of request: ArchiveRequest) throws -> StoredSnapshot? {
        let paths = Set(request.paths.map(\.bytes))
        return try repository.snapshots().readable.last {
            $0.snapshot.host == request.host && Set($0.snapshot.paths) == paths
        }
    }

    private func snapshot(
        _ request: ArchiveRequest, _ walk: SourceWalk, _ root: [BlobReference],
        _ parent: StoredSnapshot?, _ stored: StoreStatistics
    ) -> Snapshot {
        var totals = walk.totals
        totals.stored = stored.stored
        var snapshot = Snapshot(
            time: repository.world.clock.now(), host: request.host, user: request.user,
            paths: request.paths.map(\.bytes), tags: request.tags, parent: parent?.id, root: root,
            databases: walk.databases, totals: totals, program: request.program)
        snapshot.treatsDatabasesAsFiles = request.treatsDatabasesAsFiles
        snapshot.boot = repository.world.clock.bootTime()
        snapshot.bootID = repository.world.process.bootID
        return snapshot
    }
}
