import Codec
import Platform
import Simulation
import Testing

/// A backup that is cut off anywhere harms nothing: every earlier snapshot restores byte for byte,
/// verify finds nothing, and the backup can be run again.
@Suite(.serialized) struct CrashTests {
    private static let seeds = UInt64(TestShare.count(share: 7, whole: 60))
    private static let scenes: [(seed: UInt64, journalMode: String)] =
        TestShare.isWhole ? [(11, "wal"), (12, "wal"), (13, "delete")] : [(11, "wal")]

    /// What was unsynced in a lease's own folder can never matter; not all of it is tried.
    private static func isLoose(_ path: FilePath) -> Bool {
        path.components.contains(Array("leases".utf8)) && path.lastComponent != Array("lease".utf8)
    }

    /// The scene's disk after a backup that had power for so many operations.
    private func disk(of scene: CrashScene, cutAfter operation: Int) throws -> SimulatedDisk {
        let disk = scene.disk.copy()
        disk.crash(afterOperations: scene.disk.operationCount + operation)
        #expect(throws: (any Error).self, "operation \(operation)") {
            try scene.backUp(on: disk, .sameBoot, seed: 1)
        }
        return disk
    }

    /// Disk operations of the scene's next backup.
    private func operations(of scene: CrashScene) throws -> Int {
        let disk = scene.disk.copy()
        try scene.backUp(on: disk, .sameBoot, seed: 1)
        return disk.operationCount - scene.disk.operationCount
    }

    @Test(arguments: scenes)
    func aPowerFailureAtAnyDiskOperationHarmsNothing(
        _ sceneSeed: UInt64, _ journalMode: String
    ) throws {
        let scene = try CrashScene(seed: sceneSeed, journalMode: journalMode)
        let operations = try operations(of: scene)
        var points = 0
        var states: Set<Digest> = []
        for operation in 0..<operations {
            let disk = try disk(of: scene, cutAfter: operation)
            for seed in 0..<Self.seeds {
                points += 1
                let found = disk.afterCrash(seed: sceneSeed << 32 + UInt64(operation) << 16 + seed)
                guard states.insert(found.digest(ignoring: Self.isLoose)).inserted else { continue }
                let faults = scene.faults(
                    of: found, found: seed % 4 == 0 ? .elsewhere : .nextBoot, seed: seed)
                #expect(
                    faults == [],
                    "scene \(sceneSeed), operation \(operation) of \(operations), seed \(seed)")
            }
        }
        print(
            "power failures: \(points) points at \(operations) operations, \(states.count)"
                + " different disks, scene \(sceneSeed) (\(journalMode))")
    }

    @Test func aProcessKilledAtAnyDiskOperationHarmsNothing() throws {
        let scene = try CrashScene(seed: 41)
        let operations = try operations(of: scene)
        let step = TestShare.count(share: 2, whole: 1)
        for operation in stride(from: 0, to: operations, by: step) {
            let disk = try disk(of: scene, cutAfter: operation)
            disk.crash(afterOperations: .max)
            let faults = scene.faults(of: disk, found: .sameBoot, seed: UInt64(operation))
            #expect(faults == [], "operation \(operation) of \(operations)")
        }
        print("processes killed: at each operation, in steps of \(step), of \(operations)")
    }

    @Test(arguments: [Errno.noSpace, .inputOutput])
    func anOperationThatFailsFailsTheBackupAndHarmsNothing(_ errno: Errno) throws {
        let scene = try CrashScene(seed: 21)
        let operations = try operations(of: scene)
        // CI's share: each operation fails in one of both ways.
        let step = TestShare.count(share: 2, whole: 1)
        for operation in stride(from: errno == .noSpace ? 1 : step, through: operations, by: step) {
            let disk = scene.disk.copy()
            disk.failing(atOperation: scene.disk.operationCount + operation, errno: errno)
            #expect(throws: (any Error).self, "operation \(operation)") {
                try scene.backUp(on: disk, .sameBoot, seed: 1)
            }
            // In turn: the disk as it is, and as a power failure soon afterwards leaves it.
            let seed = UInt64(operation)
            let losesPower = operation % 4 < 2
            let faults = scene.faults(
                of: losesPower ? disk.afterCrash(seed: seed) : disk,
                found: losesPower ? .nextBoot : .sameBoot, seed: seed)
            #expect(faults == [], "\(errno) at operation \(operation) of \(operations)")
        }
        print("failing operations: in steps of \(step), of \(operations), with \(errno)")
    }

    @Test func manyPowerFailuresInARowHarmNothing() throws {
        let rounds = TestShare.count(share: 10, whole: 300)
        let scene = try CrashScene(seed: 31)
        let operations = try operations(of: scene)
        let chance = SeededRandomness(seed: 32)
        var disk = scene.disk.copy()
        var interrupted = 0
        for round in 0..<rounds {
            disk.crash(afterOperations: disk.operationCount + chance.below(operations / 2))
            do {
                try scene.backUp(on: disk, .nextBoot, seed: UInt64(round) + 1)
            } catch {
                interrupted += 1
            }
            disk = disk.afterCrash(seed: chance.next())
            let faults = scene.faults(of: disk.copy(), found: .elsewhere, seed: UInt64(round))
            #expect(faults == [], "round \(round)")
        }
        print("power failures in a row: \(interrupted) of \(rounds) backups interrupted")
    }
}
