import Glibc

/// Hands elements from threads to threads, in order, and holds so many at most.
// Unchecked: `state` is reached between `lock` and `unlock` only, and a mutex and conditions are C
// objects that threads share by design.
package final class BoundedQueue<Element: Sendable>: @unchecked Sendable {
    private struct State {
        var ring: ContiguousArray<Element?>
        var first = 0
        var count = 0
        var isClosed = false
    }

    private var state: State
    // Synchronization's Mutex has no conditions; these need addresses that stay.
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let notFull = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private let notEmpty = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)

    /// `capacity` is at least 1.
    package init(capacity: Int) {
        state = State(ring: ContiguousArray(repeating: nil, count: max(capacity, 1)))
        mutex.initialize(to: pthread_mutex_t())
        pthread_mutex_init(mutex, nil)
        for condition in [notFull, notEmpty] {
            condition.initialize(to: pthread_cond_t())
            pthread_cond_init(condition, nil)
        }
    }

    deinit {
        for condition in [notFull, notEmpty] {
            pthread_cond_destroy(condition)
            condition.deallocate()
        }
        pthread_mutex_destroy(mutex)
        mutex.deallocate()
    }

    /// Waits while the queue is full; false, and the element is not taken, once it is closed.
    package func put(_ element: Element) -> Bool {
        locked {
            while state.count == state.ring.count, !state.isClosed {
                pthread_cond_wait(notFull, mutex)
            }
            guard !state.isClosed else { return false }
            state.ring[(state.first + state.count) % state.ring.count] = element
            state.count += 1
            pthread_cond_signal(notEmpty)
            return true
        }
    }

    /// Waits while the queue is empty; nil once it is closed as well.
    package func take() -> Element? {
        locked {
            while state.count == 0, !state.isClosed { pthread_cond_wait(notEmpty, mutex) }
            guard state.count > 0 else { return nil }
            let element = state.ring[state.first]
            state.ring[state.first] = nil
            state.first = (state.first + 1) % state.ring.count
            state.count -= 1
            pthread_cond_signal(notFull)
            return element
        }
    }

    /// Takes no more; what is in the queue can still be taken.
    package func close() {
        locked { wakeAll() }
    }

    /// Takes no more, and drops what is in the queue.
    package func cancel() {
        // What is dropped may end its life in other code, which must not find the lock held.
        let dropped = locked {
            wakeAll()
            let dropped = state.ring
            state.ring = ContiguousArray(repeating: nil, count: dropped.count)
            state.count = 0
            return dropped
        }
        withExtendedLifetime(dropped) {}
    }

    private func wakeAll() {
        state.isClosed = true
        pthread_cond_broadcast(notFull)
        pthread_cond_broadcast(notEmpty)
    }

    private func locked<R>(_ body: () -> R) -> R {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return body()
    }
}
