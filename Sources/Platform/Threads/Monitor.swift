import Glibc

/// A lock with a condition to wait for; Synchronization's Mutex has none.
// Unchecked: a mutex and a condition are C objects that threads share by design, at addresses that
// stay.
package final class Monitor: @unchecked Sendable {
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let changed = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)

    package init() {
        mutex.initialize(to: pthread_mutex_t())
        changed.initialize(to: pthread_cond_t())
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(changed, nil)
    }

    deinit {
        pthread_mutex_destroy(mutex)
        pthread_cond_destroy(changed)
        mutex.deallocate()
        changed.deallocate()
    }

    /// Runs `body` while no other thread is inside.
    package func locked<R>(_ body: () throws -> R) rethrows -> R {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return try body()
    }

    /// Lets others inside until one wakes all; only inside ``locked(_:)``.
    package func wait() {
        pthread_cond_wait(changed, mutex)
    }

    /// The same, for a tenth of a second at most. Source: pthread_cond_timedwait(3).
    package func waitAWhile() {
        var until = timespec()
        clock_gettime(CLOCK_REALTIME, &until)
        until.tv_nsec += 100_000_000
        if until.tv_nsec >= 1_000_000_000 {
            until.tv_sec += 1
            until.tv_nsec -= 1_000_000_000
        }
        pthread_cond_timedwait(changed, mutex, &until)
    }

    package func wakeAll() {
        pthread_cond_broadcast(changed)
    }
}
