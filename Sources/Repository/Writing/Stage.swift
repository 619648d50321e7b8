import Platform
import Synchronization

/// The first error of a pipeline; what comes after it is its consequence.
package final class FirstFailure: Sendable {
    private let failure = Mutex<(any Error)?>(nil)

    package init() {}

    package func record(_ error: any Error) {
        failure.withLock { if $0 == nil { $0 = error } }
    }

    package func check() throws {
        if let failure = failure.withLock({ $0 }) { throw failure }
    }
}

/// One step of a pipeline that works in order: a thread with a bounded queue before it.
///
/// In a simulation (`inline`) there is no thread: sending does the work.
final class Stage<Item: Sendable>: Sendable {
    private let work: @Sendable (Item) throws -> Void
    private let failure: FirstFailure
    private let queue: BoundedQueue<Item>
    private let thread = Mutex<WorkerThread?>(nil)
    private let inline: Bool

    init(
        _ name: String, capacity: Int, inline: Bool, failure: FirstFailure,
        work: @escaping @Sendable (Item) throws -> Void
    ) {
        self.work = work
        self.failure = failure
        self.inline = inline
        queue = BoundedQueue(capacity: capacity)
        guard !inline else { return }
        let worker = WorkerThread(name: name) { [queue] in
            while let item = queue.take() {
                do {
                    try work(item)
                } catch {
                    failure.record(error)  // the work drops what comes after it, so nobody blocks
                }
            }
        }
        thread.withLock { $0 = worker }
    }

    /// Hands an item on; waits where the stage is behind; throws the pipeline's failure.
    func send(_ item: Item) throws {
        try failure.check()
        if inline {
            do {
                try work(item)
            } catch {
                failure.record(error)
                throw error
            }
        } else {
            _ = queue.put(item)
        }
    }

    /// Waits until all that was sent is done. Nothing can be sent afterwards.
    func finish() {
        queue.close()
        let worker = thread.withLock { thread in
            defer { thread = nil }
            return thread
        }
        worker?.join()
    }
}
