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

/// A disk that says before each step which one it is, from 1.
private final class SteppedDisk: Disk {
    private let disk: SimulatedDisk
    private let before: @Sendable (Int) -> Void
    private let count = Mutex(0)

    init(_ disk: SimulatedDisk, before: @escaping @Sendable (Int) -> Void) {
        self.disk = disk
        self.before = before
    }

    var steps: Int { count.withLock { $0 } }

    private func step() {
        before(
            count.withLock { count in
                count += 1
                return count
            })
    }

    func makeDirectory(_ path: FilePath) throws(SystemError) {
        step()
        try disk.makeDirectory(path)
    }

    func entries(of directory: FilePath) throws(SystemError) -> [DiskEntry] {
        step()
        return try disk.entries(of: directory)
    }

    func entry(at path: FilePath) throws(SystemError) -> DiskEntry? {
        step()
        return try disk.entry(at: path)
    }

    func create(_ path: FilePath) throws(SystemError) -> any DiskWriter {
        step()
        return try disk.create(path)
    }

    func open(_ path: FilePath) throws(SystemError) -> any DiskReader {
        step()
        return try disk.open(path)
    }

    func rename(_ from: FilePath, to: FilePath) throws(SystemError) {
        step()
        try disk.rename(from, to: to)
    }

    func lock(_ path: FilePath) throws(SystemError) -> any DiskLock {
        step()
        return try disk.lock(path)
    }

    func renameExclusively(_ from: FilePath, to: FilePath) throws(SystemError) {
        step()
        try disk.renameExclusively(from, to: to)
    }

    func remove(_ path: FilePath) throws(SystemError) {
        step()
        try disk.remove(path)
    }

    func removeDirectory(_ path: FilePath) throws(SystemError) {
        step()
        try disk.removeDirectory(path)
    }

    func syncDirectory(_ path: FilePath) throws(SystemError) {
        step()
        try disk.syncDirectory(path)
    }
}
