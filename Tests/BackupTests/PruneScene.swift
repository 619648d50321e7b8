import Backup
import Codec
import Platform
import Repository
import Simulation
import Testing
import Timeline

/// A crash scene whose oldest snapshots were forgotten, so that there is something to prune.
final class PruneScene {
    let scene: CrashScene
    /// What the last prune merged.
    private(set) var merged: CompactionReport?

    init(seed: UInt64, backups: Int = 4, forgotten: Int = 2) throws {
        scene = try CrashScene(seed: seed, backups: backups, isSmall: !TestShare.isWhole)
        let repository = try scene.open(scene.disk, .sameBoot, seed: 900, cache: "forget")
        try scene.under(repository) { lease in
            let forgetter = try Forgetter(in: repository, under: lease, patience: 0)
            let names = scene.known.prefix(forgotten).map { ObjectName(.snapshots, $0.id.hex) }
            try forgetter.remove(names) {}
        }
        scene.known.removeFirst(forgotten)
    }

    /// Prunes as a command does, leaving as little as can be.
    @discardableResult
    func prune(
        on disk: any Disk, _ successor: CrashScene.Successor, seed: UInt64,
        cache: String = "prune", limit: UnusedLimit = .bytes(0)
    ) throws -> PruneReport {
        let repository = try scene.open(disk, successor, seed: seed, cache: cache)
        return try scene.under(repository) { lease in
            try repository.refresh()
            try lease.declare(honouring: repository.marks)
            let survey = RetentionSurvey(
                repository, window: HistoryWindow(0), trustsTimes: false, checkpoint: {})
            let pruner = Pruner(
                repository, under: lease, survey: survey.run,
                compact: { try survey.compact(under: lease) }, checkpoint: {})
            let report = try pruner.run(limit) { _ in }
            merged = survey.compaction
            return report
        }
    }

    /// Everything that is wrong with a disk: what a backup's crash may not do, and what two more
    /// prunes leave or break.
    func faults(of disk: SimulatedDisk, found successor: CrashScene.Successor, seed: UInt64)
        -> [String]
    {
        // What a prune lost stays lost: CI looks once, after all of it.
        var found =
            TestShare.isWhole || seed % 4 == 3
            ? scene.faults(of: disk, found: successor, seed: seed) : []
        do {
            // A lease of elsewhere must stand still before somebody.
            for round in UInt64(0)..<3 {
                let left = try prune(
                    on: disk, .nextBoot, seed: 5_000_000 + seed * 8 + round, cache: "later")
                scene.clock.advance(nanoseconds: LeaseObserver.stillLimit)
                if round == 2, left.waiting.files > 0 { found.append("marks are left: \(left)") }
            }
        } catch {
            found.append("a later prune failed: \(error)")
        }
        return found + scene.faults(of: disk, found: successor, seed: seed &+ 2_000_000)
    }
}
