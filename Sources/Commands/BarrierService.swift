import Platform
import Repository
import Synchronization
import Timeline

/// Answers backups that ask for the state of a watched database, under the lease of the moment.
final class BarrierService: Sendable {
    private struct State {
        var listener: BarrierListener
        var thread: WorkerThread
    }

    private let wake: Wake
    private let state: Mutex<State>

    init(of lease: HeldLease, wake: Wake) throws {
        self.wake = wake
        state = Mutex(try BarrierService.begin(lease, wake))
    }

    private static func begin(_ lease: HeldLease, _ wake: Wake) throws -> State {
        let listener = try BarrierListener(of: lease.id, wake: wake)
        return State(
            listener: listener, thread: WorkerThread(name: "barrier") { listener.serve() })
    }

    /// Listens under another lease's name from now on.
    func move(to lease: HeldLease) throws {
        let next = try BarrierService.begin(lease, wake)
        let old = state.withLock { state in
            defer { state = next }
            return state
        }
        // Its thread may wait for this very thread's answer: it ends by itself.
        old.listener.end()
    }

    func end() {
        let last = state.withLock { $0 }
        last.listener.end()
        last.thread.join()
    }
}
