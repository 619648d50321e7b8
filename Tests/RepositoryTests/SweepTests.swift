import Platform
import Repository
import Simulation
import Synchronization
import Testing

/// One process sweeps while another begins its lease.
@Suite struct SweepTests {
    private static let root = FilePath("/r")
    private static let record = Array("what the lease says".utf8)

    /// Begins a lease; before its `first`th step a sweep begins, which stops before its own
    /// `second`th step until the lease has begun.
    private static func interleave(_ first: Int, _ second: Int) throws -> (begun: Bool, Bool) {
        let disk = SimulatedDisk()
        let setUp = DirectoryPlace(
            at: root, on: disk, randomness: SeededRandomness(seed: 1))
        try setUp.prepare()
        let meeting = Meeting()
        let lease = LeaseID.random(SeededRandomness(seed: 9))
        let sweeperDisk = SteppedDisk(disk) { if $0 == second { meeting.pause() } }
        let sweeper = DirectoryPlace(
            at: root, on: sweeperDisk, randomness: SeededRandomness(seed: 2))
        let thread = Mutex<WorkerThread?>(nil)
        let beginnerDisk = SteppedDisk(disk) { step in
            guard step == first else { return }
            let worker = WorkerThread(name: "sweep") {
                do { try sweeper.sweepLeases() } catch { Issue.record("\(error)") }
                meeting.end()
            }
            thread.withLock { $0 = worker }
            meeting.waitForPauseOrEnd()
        }
        let beginner = DirectoryPlace(
            at: root, on: beginnerDisk, randomness: SeededRandomness(seed: 3))
        try beginner.begin(lease: lease, record)
        meeting.release()
        thread.withLock { $0 }?.join()

        let comment: Comment = "begin's step \(first), sweep's step \(second)"
        #expect(try setUp.leases() == [lease], comment)
        #expect(try setUp.read(lease: lease) == record, comment)
        _ = try setUp.stage(under: lease)
        try setUp.end(lease: lease)
        try setUp.sweepLeases()
        #expect(try disk.entries(of: root.appending("leases")).isEmpty, comment)
        return (beginnerDisk.steps >= first, sweeperDisk.steps >= second)
    }

    @Test func aSweepAtAnyStepLeavesABeginningLeaseWhole() throws {
        var reached = 0
        for first in 1...8 {
            for second in 1...8 {
                let (begun, swept) = try Self.interleave(first, second)
                if begun, swept { reached += 1 }
            }
        }
        #expect(reached >= 8)
    }
}

/// Lets one thread wait at a step until another has gone on.
// Unchecked: the fields are touched only inside the monitor.
private final class Meeting: @unchecked Sendable {
    private let monitor = Monitor()
    private var isPausedOrOver = false
    private var isReleased = false

    func pause() {
        monitor.locked {
            isPausedOrOver = true
            monitor.wakeAll()
            while !isReleased { monitor.wait() }
        }
    }

    func end() {
        monitor.locked {
            isPausedOrOver = true
            monitor.wakeAll()
        }
    }

    func waitForPauseOrEnd() {
        monitor.locked { while !isPausedOrOver { monitor.wait() } }
    }

    func release() {
        monitor.locked {
            isReleased = true
            monitor.wakeAll()
        }
    }
}
