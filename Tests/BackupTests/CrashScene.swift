import Backup
import Codec
import Platform
import Repository
import Simulation
import Synchronization
import Testing

/// Backups of a source into a repository on a simulated disk.
final class CrashScene {
    static let root = FilePath("/repository")

    let source: SourceScene
    let disk = SimulatedDisk()
    /// The complete backups, oldest first, and what the source held.
    var known: [(id: Digest, state: SourceState)] = []
    private let scratch = ScratchFolder()
    /// Long past the files' times, so that they are settled.
    let clock: SimulatedClock
    private let seed: UInt64

    init(
        seed: UInt64, backups: Int = 2, journalMode: String = "wal", isSmall: Bool = false
    ) throws {
        self.seed = seed
        source = try SourceScene(seed: seed, journalMode: journalMode, isSmall: isSmall)
        clock = SimulatedClock(
            now: SystemClock().now().adding(nanoseconds: 3_600_000_000_000))
        let world = try self.world(.sameBoot, seed: seed)
        try TestRepository.make(at: place(on: disk, world), world: world)
        for number in 0..<backups {
            if number > 0 { try source.change() }
            let id = try backUp(on: disk, .sameBoot, seed: seed + UInt64(number)).id
            known.append((id, source.state))
            clock.advance(nanoseconds: 60_000_000_000)
        }
        try source.change()
    }

    /// Who works on the repository after an interruption.
    enum Successor: CaseIterable {
        /// A process of the same boot: it sees that the one before it is gone.
        case sameBoot
        /// A process after the machine was started again.
        case nextBoot
        /// A process of another machine: only time tells it that the one before it is gone.
        case elsewhere
    }

    func world(_ successor: Successor, seed: UInt64) throws -> World {
        let process: ProcessIdentity =
            switch successor {
            case .sameBoot: try .gone()
            case .nextBoot: .simulated(boot: 7)
            case .elsewhere: .simulated(boot: 8)
            }
        return World.simulated(
            SeededRandomness(seed: seed), clock: clock, process: process,
            host: successor == .elsewhere ? "bravo" : "alpha")
    }

    private func place(on disk: any Disk, _ world: World) -> DirectoryPlace {
        DirectoryPlace(at: CrashScene.root, on: disk, randomness: world.randomness)
    }

    /// A catalogue that may know packs of disks that never were, or none at all.
    private func cache(keeps: Bool) throws -> FilePath {
        let path = scratch.path.appending(keeps ? "kept" : "fresh")
        if !keeps { ScratchFolder.empty(path) }
        return path
    }

    private func open(
        _ disk: any Disk, _ successor: Successor, seed: UInt64, keepsCache: Bool
    ) throws -> Repository {
        let world = try world(successor, seed: seed)
        return try TestRepository.open(
            place(on: disk, world), cache: cache(keeps: keepsCache), world: world)
    }

    /// Opens the repository as a process with a catalogue of its own.
    func open(
        _ disk: any Disk, _ successor: Successor, seed: UInt64, cache: String
    ) throws -> Repository {
        let world = try world(successor, seed: seed)
        return try TestRepository.open(
            place(on: disk, world), cache: scratch.path.appending(cache), world: world)
    }

    // MARK: Backing up

    /// Backs up the source as it is.
    @discardableResult
    func backUp(
        on disk: SimulatedDisk, _ successor: Successor, seed: UInt64, keepsCache: Bool = true
    ) throws -> StoredSnapshot {
        let repository = try open(disk, successor, seed: seed, keepsCache: keepsCache)
        if successor == .elsewhere {
            try lookAtLeases(repository)
            clock.advance(nanoseconds: LeaseObserver.stillLimit)
        }
        return try backUp(into: repository, seed: seed)
    }

    /// Backs up the source as a command does.
    @discardableResult
    func backUp(into repository: Repository, seed: UInt64) throws -> StoredSnapshot {
        try under(repository) { lease in
            try repository.refresh()
            try lease.declare(honouring: repository.marks)
            let request = ArchiveRequest(
                paths: [source.path], host: "alpha", user: "root", selection: .everything,
                scratch: scratch.path, program: "crash test")
            let problems = Mutex<[String]>([])
            let report = ArchiveReport { notice in
                if case .problem = notice { problems.withLock { $0.append("\(notice)") } }
            }
            let archiver = Archiver(into: repository, under: lease, report: report) { false }
            // A repository that fails is no problem of the sources.
            defer { #expect(problems.withLock { $0 } == [], "seed \(seed)") }
            let outcome = try archiver.run(request)
            return try #require(outcome.snapshot)
        }
    }

    func under<R>(_ repository: Repository, _ body: (HeldLease) throws -> R) throws -> R {
        let lease = try HeldLease(
            on: repository.place, purpose: "backup", world: repository.world)
        let result: R
        do {
            result = try body(lease)
        } catch {
            try? lease.end()
            throw error
        }
        try lease.end()
        return result
    }

    private func lookAtLeases(_ repository: Repository) throws {
        for lease in try repository.place.leases() {
            guard let bytes = try repository.place.read(lease: lease) else { continue }
            let record = LeaseRecord.readable(bytes, of: lease)
            _ = try repository.observer.state(of: lease, record)
        }
    }

    // MARK: Proving

    /// Everything that is wrong with a disk after a backup of it was interrupted: earlier snapshots
    /// that do not restore, damage, and whether the backup can be run again.
    func faults(
        of disk: SimulatedDisk, found successor: Successor, seed: UInt64
    ) -> [String] {
        do {
            return try thrownFaults(of: disk, successor, seed: seed)
        } catch {
            return ["\(error)"]
        }
    }

    private func thrownFaults(
        of disk: SimulatedDisk, _ successor: Successor, seed: UInt64
    ) throws -> [String] {
        let keepsCache = seed % 2 == 0
        // Other leases than those of the backups whose seeds are small.
        let seed = seed &* 4 &+ 1_000_000
        var found = try inspect(disk, successor, seed: seed, keepsCache: keepsCache)
        let again = try backUp(on: disk, successor, seed: seed &+ 1, keepsCache: keepsCache)
        let repository = try open(disk, successor, seed: seed &+ 2, keepsCache: keepsCache)
        found += try under(repository) { _ in
            let damaged = try repository.refresh().map { "\($0.pack) is hurt" }
            return try damaged + restore(again, from: repository, source.state)
        }
        return found
    }

    private func inspect(
        _ disk: SimulatedDisk, _ successor: Successor, seed: UInt64, keepsCache: Bool
    ) throws -> [String] {
        let repository = try open(disk, successor, seed: seed, keepsCache: keepsCache)
        return try under(repository) { _ in
            let damaged = try repository.refresh()
            let findings = Mutex<[String]>([])
            let report = VerifyReport { finding in findings.withLock { $0.append("\(finding)") } }
            let verifier = Verifier(repository, report: report) { false }
            try verifier.run(.everything, damagedPacks: damaged)
            var found = damaged.map { "\($0.pack): \($0.reason)" } + findings.withLock { $0 }
            let (snapshots, _) = try repository.snapshots()
            for (id, state) in known {
                guard let snapshot = snapshots.first(where: { $0.id == id }) else {
                    found.append("snapshot \(id) is gone")
                    continue
                }
                found += try restore(snapshot, from: repository, state)
            }
            // The interrupted backup may have come so far that it counts.
            for snapshot in snapshots where !known.contains(where: { $0.id == snapshot.id }) {
                found += try restore(snapshot, from: repository, source.state)
            }
            return found
        }
    }

    /// Restores the known snapshots as a command does; answers what differs.
    func restoreKnown(
        from disk: any Disk, _ successor: Successor, seed: UInt64, cache: String
    ) throws -> [String] {
        let repository = try open(disk, successor, seed: seed, cache: cache)
        return try under(repository) { _ in
            try repository.refresh()
            let (snapshots, _) = try repository.snapshots()
            return try known.flatMap { known in
                guard let snapshot = snapshots.first(where: { $0.id == known.id }) else {
                    return ["snapshot \(known.id) is gone"]
                }
                return try restore(snapshot, from: repository, known.state)
            }
        }
    }

    private func restore(
        _ snapshot: StoredSnapshot, from repository: Repository, _ state: SourceState
    ) throws -> [String] {
        let target = ScratchFolder()
        let problems = Mutex<[String]>([])
        let report = RestoreReport { notice in
            if case .problem = notice { problems.withLock { $0.append("\(notice)") } }
        }
        var request = RestoreRequest(target: target.path, selection: .everything)
        request.syncs = false
        let restorer = Restorer(from: repository, request, report: report) { false }
        try restorer.run(RestoreSource(nil, of: snapshot.snapshot))
        let restored = source.path.components.reduce(target.path) { $0.appending($1) }
        return try problems.withLock { $0 } + SourceScene.differences(restored, state)
    }
}
