import Codec
import Platform
package import Repository
package import Timeline

/// Finds what the snapshots and streams of a repository need.
package final class RetentionSurvey {
    private let repository: Repository
    private let window: HistoryWindow
    private let trustsTimes: Bool
    private let forgotten: Set<ObjectName>
    private let checkpoint: () throws -> Void
    /// What the last survey says of the streams.
    package var outlooks: [StreamOutlook] { streams?.outlooks ?? [] }
    private var streams: StreamNeeds?
    /// What was merged, or would be; nil before.
    package private(set) var compaction: CompactionReport?

    /// - Parameters:
    ///   - window: how long every record of a stream stays.
    ///   - forgotten: snapshots to do as if they were gone.
    package init(
        _ repository: Repository, window: HistoryWindow, trustsTimes: Bool,
        forgotten: Set<ObjectName> = [], checkpoint: @escaping () throws -> Void
    ) {
        self.repository = repository
        self.window = window
        self.trustsTimes = trustsTimes
        self.forgotten = forgotten
        self.checkpoint = checkpoint
    }

    /// Lists what is kept, and walks all of it.
    ///
    /// - Throws: `damaged` where something kept cannot be read, for nobody knows what it needs.
    package func run() throws -> KeptObjects {
        let listing = try KeptObjects.list(in: repository.place)
        let snapshots = try keptSnapshots()
        try repository.refresh()
        let needed = try NeededBlobs(in: repository.catalogue)
        var states = Set(snapshots.flatMap { $0.snapshot.databases.map(\.reference) })
        let browser = SnapshotBrowser(repository)
        for snapshot in snapshots {
            try add(snapshot.snapshot.root, to: needed, &states, browser)
        }
        let streams = try StreamNeeds(
            in: repository, references: Array(states), window: window,
            now: trustsTimes ? nil : repository.world.clock.now())
        self.streams = streams
        try streams.forEachGroups(in: repository) { groups in
            try checkpoint()
            _ = try needed.add(groups.map { NeededBlob($0, .pageGroup) })
        }
        // Once more: the streams were listed after the packs.
        try repository.refresh()
        return KeptObjects(
            listing: listing, blobs: needed, segments: streams.segments,
            unneededSegments: streams.unneeded)
    }

    /// Finds what a compaction would merge, after a survey.
    package func planCompaction() throws {
        compaction = try streams.map { try StreamCompactor.plan($0) }
    }

    /// Merges the states that the last survey found kept by nothing.
    ///
    /// - Returns: whether segments were written or given up, so that what is kept must be found
    ///   anew.
    package func compact(under lease: HeldLease) throws -> Bool {
        guard let streams else { return false }
        var compactor = StreamCompactor(repository, checkpoint: checkpoint)
        let report = try compactor.run(streams, under: lease)
        compaction = report
        return report.written > 0 || !report.failures.isEmpty
    }

    private func keptSnapshots() throws -> [StoredSnapshot] {
        let (readable, damaged) = try repository.snapshots()
        if let (name, reason) = damaged.first(where: { !forgotten.contains($0.name) }) {
            throw RepositoryError(
                .damaged, "\(name) cannot be read: \(reason); what it needs is not known",
                hint: "Run 'holdfast verify'; remove a snapshot that is lost with 'holdfast forget"
                    + " \(name.name.prefix(8))'.")
        }
        return readable.filter { !forgotten.contains(ObjectName(.snapshots, $0.id.hex)) }
    }

    /// Adds directories and what is in them; those that are there already were gone through.
    private func add(
        _ root: [BlobReference], to needed: NeededBlobs, _ states: inout Set<DatabaseReference>,
        _ browser: SnapshotBrowser
    ) throws {
        var runs = root
        while let run = runs.popLast() {
            guard try !needed.add([NeededBlob(run.id, .tree)]).isEmpty else { continue }
            try checkpoint()
            for node in try browser.nodes(of: run) {
                switch node.content {
                case .directory(let inside, _): runs += inside
                case .file(let pieces, _): try add(pieces, to: needed, browser.opener)
                case .database(let reference): states.insert(reference)
                default: break
                }
            }
        }
    }

    /// Adds a file's pieces, and the lists of them where there are any.
    private func add(
        _ pieces: PieceList, to needed: NeededBlobs, _ opener: BlobOpener
    ) throws {
        guard pieces.level > 0 else {
            _ = try needed.add(pieces.entries.map { NeededBlob($0.blob.id, .data) })
            return
        }
        for entry in pieces.entries
        where try !needed.add([NeededBlob(entry.blob.id, .pieceList)]).isEmpty {
            try checkpoint()
            try add(opener.list(entry, level: pieces.level - 1), to: needed, opener)
        }
    }
}
