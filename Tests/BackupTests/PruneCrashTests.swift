import Backup
import Codec
import Platform
import Repository
import Simulation
import Synchronization
import Testing
import Timeline

/// However a prune is cut off, and whoever works beside it: every kept snapshot restores byte for
/// byte, verify finds nothing, and further prunes end what was begun.
@Suite(.serialized) struct PruneCrashTests {
    private static let seeds = UInt64(TestShare.count(share: 1, whole: 20))

    /// Disk operations of the scene's prune.
    private func operations(of test: PruneScene) throws -> Int {
        let disk = test.scene.disk.copy()
        let report = try test.prune(on: disk, .sameBoot, seed: 1)
        #expect(report.deleted.files > 2 && report.waiting.files == 0)
        // Of a small source no pack is emptied.
        #expect(report.emptied.files > 0 || !TestShare.isWhole)
        #expect(test.merged?.written == 1 && test.merged?.failures.isEmpty == true)
        return disk.operationCount - test.scene.disk.operationCount
    }

    @Test func aPowerFailureAtAnyDiskOperationOfPruneHarmsNothing() throws {
        let test = try PruneScene(seed: 51)
        let operations = try operations(of: test)
        for operation in stride(from: 0, to: operations, by: TestShare.count(share: 5, whole: 1)) {
            let disk = test.scene.disk.copy()
            disk.crash(afterOperations: test.scene.disk.operationCount + operation)
            #expect(throws: (any Error).self) { try test.prune(on: disk, .sameBoot, seed: 1) }
            for seed in 0..<Self.seeds {
                let found = disk.afterCrash(seed: UInt64(operation) << 16 + seed)
                let faults = test.faults(
                    of: found, found: .nextBoot, seed: seed + UInt64(operation))
                #expect(faults == [], "operation \(operation) of \(operations), seed \(seed)")
            }
        }
        print("power failures of prune: at \(operations) operations, \(Self.seeds) seeds each")
    }

    @Test func aPruneKilledAtAnyDiskOperationHarmsNothing() throws {
        let test = try PruneScene(seed: 52)
        let operations = try operations(of: test)
        for operation in stride(from: 0, to: operations, by: TestShare.count(share: 8, whole: 1)) {
            let disk = test.scene.disk.copy()
            disk.crash(afterOperations: test.scene.disk.operationCount + operation)
            #expect(throws: (any Error).self) { try test.prune(on: disk, .sameBoot, seed: 1) }
            disk.crash(afterOperations: .max)
            let faults = test.faults(of: disk, found: .sameBoot, seed: UInt64(operation))
            #expect(faults == [], "operation \(operation) of \(operations)")
        }
    }

    /// Runs `work` with a disk that calls `beside` before its `step`th step.
    private func interleave(
        _ disk: SimulatedDisk, at step: Int, _ work: (any Disk) throws -> Void,
        beside: @escaping @Sendable () -> Void
    ) throws -> Int {
        let stepped = SteppedDisk(disk) { if $0 == step { beside() } }
        try work(stepped)
        return stepped.steps
    }

    /// Calls `body` with each step of some work, in strides, until there are no more.
    private func forEachStep(_ share: Int, _ body: (Int) throws -> Int) throws {
        var step = 1
        while try body(step) >= step { step += TestShare.count(share: share, whole: 1) }
    }

    @Test func aWholeBackupAtAnyStepOfPruneLosesNothing() throws {
        let test = try PruneScene(seed: 53)
        try forEachStep(23) { step in
            let disk = test.scene.disk.copy()
            let failure = Mutex<String?>(nil)
            let backup = Unchecked {
                let repository = try test.scene.open(
                    disk, .elsewhere, seed: 3_000 + UInt64(step), cache: "beside")
                _ = try test.scene.backUp(into: repository, seed: 1)
            }
            let steps = try interleave(disk, at: step) { stepped in
                try test.prune(on: stepped, .nextBoot, seed: 20_000 + UInt64(step))
            } beside: {
                do { try backup.run() } catch { failure.withLock { $0 = "\(error)" } }
            }
            #expect(failure.withLock { $0 } == nil, "step \(step)")
            let faults = test.faults(of: disk, found: .nextBoot, seed: UInt64(step))
            #expect(faults == [], "step \(step) of \(steps)")
            return steps
        }
    }

    @Test func twoWholePrunesAtAnyStepOfABackupLoseNothing() throws {
        let test = try PruneScene(seed: 54)
        try forEachStep(23) { step in
            let disk = test.scene.disk.copy()
            let failure = Mutex<String?>(nil)
            let prunes = Unchecked {
                for seed in UInt64(0)..<2 {
                    try test.prune(on: disk, .nextBoot, seed: 40_000 + UInt64(step) * 4 + seed)
                }
            }
            let steps = try interleave(disk, at: step) { stepped in
                let repository = try test.scene.open(
                    stepped, .elsewhere, seed: 3_000 + UInt64(step), cache: "beside")
                _ = try test.scene.backUp(into: repository, seed: 1)
            } beside: {
                do { try prunes.run() } catch { failure.withLock { $0 = "\(error)" } }
            }
            #expect(failure.withLock { $0 } == nil, "step \(step)")
            let faults = test.faults(of: disk, found: .nextBoot, seed: UInt64(step))
            #expect(faults == [], "step \(step) of \(steps)")
            return steps
        }
    }

    @Test func twoWholePrunesAtAnyStepOfARestoreDisturbNothing() throws {
        let test = try PruneScene(seed: 57)
        try forEachStep(11) { step in
            let disk = test.scene.disk.copy()
            let failure = Mutex<String?>(nil)
            let prunes = Unchecked {
                for seed in UInt64(0)..<2 {
                    try test.prune(on: disk, .nextBoot, seed: 40_000 + UInt64(step) * 4 + seed)
                }
            }
            var found: [String] = []
            let steps = try interleave(disk, at: step) { stepped in
                found = try test.scene.restoreKnown(
                    from: stepped, .elsewhere, seed: 3_000 + UInt64(step), cache: "beside")
            } beside: {
                do { try prunes.run() } catch { failure.withLock { $0 = "\(error)" } }
            }
            #expect(failure.withLock { $0 } == nil && found == [], "step \(step) of \(steps)")
            return steps
        }
    }

    @Test func aBackupPausedForAnHourAtAnyStepLosesItselfAtMost() throws {
        let test = try PruneScene(seed: 55)
        let lost = Mutex(0)
        try forEachStep(29) { step in
            let disk = test.scene.disk.copy()
            let failure = Mutex<String?>(nil)
            let hour = Unchecked {
                for seed in UInt64(0)..<3 {
                    try test.prune(on: disk, .nextBoot, seed: 40_000 + UInt64(step) * 4 + seed)
                    test.scene.clock.advance(nanoseconds: 30 * 60 * 1_000_000_000)
                }
            }
            let steps = try interleave(disk, at: step) { stepped in
                do {
                    let repository = try test.scene.open(
                        stepped, .elsewhere, seed: 3_000 + UInt64(step), cache: "beside")
                    _ = try test.scene.backUp(into: repository, seed: 1)
                } catch is RepositoryError {
                    // Revoked, or what it was about to read has gone.
                    lost.withLock { $0 += 1 }
                }
            } beside: {
                do { try hour.run() } catch { failure.withLock { $0 = "\(error)" } }
            }
            #expect(failure.withLock { $0 } == nil, "step \(step)")
            let faults = test.faults(of: disk, found: .nextBoot, seed: UInt64(step))
            #expect(faults == [], "step \(step) of \(steps)")
            return steps
        }
        #expect(lost.withLock { $0 } > 0)
    }

    @Test func aWholePruneAtAnyStepOfAnotherOneLosesNothing() throws {
        let test = try PruneScene(seed: 56)
        try forEachStep(23) { step in
            let disk = test.scene.disk.copy()
            let failure = Mutex<String?>(nil)
            let other = Unchecked {
                try test.prune(
                    on: disk, .elsewhere, seed: 40_000 + UInt64(step), cache: "other")
            }
            let steps = try interleave(disk, at: step) { stepped in
                try test.prune(on: stepped, .nextBoot, seed: 20_000 + UInt64(step))
            } beside: {
                do { try other.run() } catch { failure.withLock { $0 = "\(error)" } }
            }
            #expect(failure.withLock { $0 } == nil, "step \(step)")
            let faults = test.faults(of: disk, found: .nextBoot, seed: UInt64(step))
            #expect(faults == [], "step \(step) of \(steps)")
            return steps
        }
    }
}

/// A step that the simulation runs on one thread, though its type does not say so.
// Unchecked: the stepped disk calls it on the thread that made it, between two of its steps.
private struct Unchecked: @unchecked Sendable {
    private let body: () throws -> Void

    init(_ body: @escaping () throws -> Void) {
        self.body = body
    }

    func run() throws { try body() }
}
