import Glibc

/// Lets a producer run ahead by so many bytes and no further.
final class ByteBudget: @unchecked Sendable {
    // @unchecked: `available` and `closed` are touched only while `mutex` is held.
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let changed = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private let limit: Int
    private var available: Int
    private var closed = false

    init(bytes: Int) {
        limit = bytes
        available = bytes
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(changed, nil)
    }

    deinit {
        pthread_mutex_destroy(mutex)
        pthread_cond_destroy(changed)
        mutex.deallocate()
        changed.deallocate()
    }

    /// Waits until the bytes are free; what is larger than the whole budget waits for all of it.
    func take(_ bytes: Int) {
        let wanted = min(bytes, limit)
        pthread_mutex_lock(mutex)
        while available < wanted, !closed { pthread_cond_wait(changed, mutex) }
        available -= wanted
        pthread_mutex_unlock(mutex)
    }

    func give(_ bytes: Int) {
        pthread_mutex_lock(mutex)
        available += min(bytes, limit)
        pthread_cond_broadcast(changed)
        pthread_mutex_unlock(mutex)
    }

    /// Waits until all bytes are back.
    func drain() {
        pthread_mutex_lock(mutex)
        while available < limit, !closed { pthread_cond_wait(changed, mutex) }
        pthread_mutex_unlock(mutex)
    }

    /// From now on nobody waits.
    func close() {
        pthread_mutex_lock(mutex)
        closed = true
        pthread_cond_broadcast(changed)
        pthread_mutex_unlock(mutex)
    }
}
