import Backup
import Codec
import Platform
import Repository
import SQLite
import Simulation
import Synchronization
import Testing
import Timeline

/// A repository in memory with backups of a few small files and a database.
final class SmallScene {
    let place = MemoryPlace()
    let source: FilePath
    let connection: Connection
    private let folder = ScratchFolder()
    private let clock = SimulatedClock(
        now: SystemClock().now().adding(nanoseconds: 3_600_000_000_000))
    private let randomness: SeededRandomness
    private var opened = 0
    /// What a backup leaves out as if it were the repository.
    var forbidden: Set<FileIdentity> = []
    /// How long lists of pieces are.
    var lists = PieceListShape.standard
    /// Into how many extents holes may cut a file.
    var mostExtents = Node.mostExtents
    /// Threads that store and restore; none by default, so that a seed means the same each time.
    var workers = 0

    init(seed: UInt64) throws {
        randomness = SeededRandomness(seed: seed)
        source = try folder.folder("source")
        try LinuxDisk().makeDirectory(source.appending("sub"))
        try ScratchFolder.write(Array("one".utf8), to: source.appending("a"))
        try ScratchFolder.write([1, 2, 3], to: source.appending(relative: "sub/b"))
        connection = try Connection(
            opening: source.appending("app.db"), mode: .readWriteCreate,
            busyTimeoutMilliseconds: 1000)
        try connection.execute(
            "PRAGMA page_size = 512; PRAGMA journal_mode = wal; CREATE TABLE t (a, b)")
        try TestRepository.make(at: place, world: world)
    }

    private var world: World { World.simulated(randomness, clock: clock, workers: workers) }

    /// Opens the repository; a new catalogue where `fresh`.
    func open(fresh: Bool) throws -> Repository {
        if fresh { opened += 1 }
        let cache = folder.path.appending("cache-\(fresh ? opened : 0)")
        return try TestRepository.open(place, cache: cache, world: world)
    }

    /// Makes a snapshot of the source as it is.
    @discardableResult
    func backUp(
        fresh: Bool = false, scout: SourceScout? = nil,
        hearing notify: @escaping @Sendable (ArchiveNotice) -> Void = { _ in }
    ) throws -> StoredSnapshot {
        let repository = try open(fresh: fresh)
        let lease = try HeldLease(on: place, purpose: "backup", world: repository.world)
        try repository.refresh()
        var request = ArchiveRequest(
            paths: [source], host: "alpha", user: "root", selection: .everything,
            scratch: folder.path, program: "test")
        request.scout = scout
        request.forbidden = forbidden
        let archiver = Archiver(
            into: repository, under: lease, report: ArchiveReport(notify: notify), lists: lists,
            mostExtents: mostExtents
        ) { false }
        let outcome = try archiver.run(request)
        try lease.end()
        clock.advance(nanoseconds: 60_000_000_000)
        return try #require(outcome.snapshot)
    }

    /// Restores the sources of a snapshot, and reads them again. Nothing is synced but by `sync`:
    /// the disk may have much to write for others.
    func restore(
        _ snapshot: StoredSnapshot, sync: ((borrowing Descriptor) throws -> Void)? = nil,
        hearing notify: @escaping @Sendable (RestoreNotice) -> Void = { _ in }
    ) throws -> (counts: RestoreCounts, target: FilePath) {
        let repository = try open(fresh: true)
        try repository.refresh()
        let target = folder.path.appending("target-\(opened)")
        var request = RestoreRequest(target: target, selection: .everything)
        request.verifies = true
        request.syncs = sync != nil
        let report = RestoreReport(notify: notify)
        let node = try SnapshotBrowser(repository).node(at: source, in: snapshot)
        try Restorer(from: repository, request, report: report, sync: sync ?? { _ in }) { false }
            .run(RestoreSource(node, of: snapshot.snapshot))
        return (report.counts, target)
    }

    /// What verify finds, reading everything; nil where the repository does not even open.
    ///
    /// - Parameter meanwhile: done once, when the first file or entry is about to be looked at.
    func findings(
        fresh: Bool, _ depth: VerifyDepth = .everything,
        meanwhile: @escaping @Sendable () -> Void = {}
    ) throws -> [VerifyFinding]? {
        let repository: Repository
        do {
            repository = try open(fresh: fresh)
        } catch let error as RepositoryError where error.code == .damaged {
            return nil
        }
        let findings = Mutex<[VerifyFinding]>([])
        let report = VerifyReport { finding in findings.withLock { $0.append(finding) } }
        let damaged = try repository.refresh()
        let hasBegun = Atomic(false)
        let verifier = Verifier(repository, report: report) {
            if !hasBegun.exchange(true, ordering: .relaxed) { meanwhile() }
            return false
        }
        try verifier.run(depth, damagedPacks: damaged)
        return findings.withLock { $0 }
    }

    /// Prunes as a command does, leaving as little as can be; answers how many files went.
    func prune() throws -> Int {
        let repository = try open(fresh: true)
        let lease = try HeldLease(on: place, purpose: "prune", world: repository.world)
        try repository.refresh()
        try lease.declare(honouring: repository.marks)
        let survey = RetentionSurvey(
            repository, window: HistoryWindow(0), trustsTimes: true, checkpoint: {})
        let pruner = Pruner(repository, under: lease, survey: survey.run, checkpoint: {})
        let report = try pruner.run(.bytes(0)) { _ in }
        try lease.end()
        return Int(report.deleted.files)
    }

    /// The files of the repository that can be hurt, `config` left out.
    func files() throws -> [ObjectName] {
        try [Folder.keys, .packs, .segments, .snapshots].flatMap { folder in
            try place.list(folder).map(\.name).sorted()
        }
    }
}

extension [VerifyFinding] {
    /// Names of files that are hurt.
    var files: Set<String> {
        Set(
            compactMap { finding in
                switch finding {
                case .file(let name, _): name
                case .snapshot(let name, _): "snapshots/\(name)"
                case .path: nil
                }
            })
    }

    /// Last components of the paths that are hurt, with their snapshots.
    var paths: Set<String> {
        Set(
            compactMap { finding in
                guard case .path(let snapshot, let path, _) = finding else { return nil }
                return "\(snapshot) \(String(decoding: path.lastComponent, as: UTF8.self))"
            })
    }
}
