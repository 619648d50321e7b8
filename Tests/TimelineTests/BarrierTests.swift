import Platform
import Repository
import Simulation
import Synchronization
import Testing

@testable import Timeline

/// What a watch answers to a backup that asks for a state.
@Suite struct BarrierTests {
    @Test func aDatabaseThatIsNotThereIsAnsweredWithTheReason() throws {
        let scratch = ScratchFolder()
        let world = World.simulated(SeededRandomness(seed: 1), clock: SystemClock())
        let place = MemoryPlace()
        try TestRepository.make(at: place, world: world)
        let repository = try TestRepository.open(place, cache: scratch.path, world: world)
        let lease = try HeldLease(on: place, purpose: "watch", world: world)
        let wake = try Wake()
        let path = scratch.path.appending("none.db")
        let watcher = try DatabaseWatcher(
            [WatchSource(path, settings: WatchSettings(host: "alpha", directory: scratch.path))],
            into: WatchRepository(repository, lease: lease) { _ in }, wake: wake
        ) { _ in }
        let answer = Mutex("")
        let asker = WorkerThread(name: "asker") {
            do {
                _ = try wake.ask(path) { try $0.barrier() }
            } catch {
                answer.withLock { $0 = "\(error)" }
            }
        }
        try watcher.run { answer.withLock { !$0.isEmpty } }
        asker.join()
        #expect(answer.withLock { $0 } == "\(path) is not being captured")
    }
}
