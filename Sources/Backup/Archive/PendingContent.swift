import Glibc
import Repository

/// The pieces of a file that workers are still storing.
final class PendingContent: @unchecked Sendable {
    // @unchecked: all fields are touched only while the board's lock is held.
    fileprivate var pieces: [BlobReference?] = []
    fileprivate var missing = 0
    fileprivate var isComplete = false
}

/// Where workers put the pieces they have stored, and where the tree builder waits for them.
final class ContentBoard: @unchecked Sendable {
    // @unchecked: the contents' fields are guarded by `mutex`, which lies at a stable address.
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let changed = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private let failure: FirstFailure

    init(failure: FirstFailure) {
        self.failure = failure
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(changed, nil)
    }

    deinit {
        pthread_mutex_destroy(mutex)
        pthread_cond_destroy(changed)
        mutex.deallocate()
        changed.deallocate()
    }

    private func locked<R>(_ body: () -> R) -> R {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return body()
    }

    /// Makes room for the next piece and returns its number.
    func reserve(in content: PendingContent) -> Int {
        locked {
            content.pieces.append(nil)
            content.missing += 1
            return content.pieces.count - 1
        }
    }

    /// Says that no more pieces follow.
    func complete(_ content: PendingContent) {
        locked {
            content.isComplete = true
            pthread_cond_broadcast(changed)
        }
    }

    func fill(_ pieces: [(content: PendingContent, number: Int, piece: BlobReference)]) {
        locked {
            for (content, number, piece) in pieces {
                content.pieces[number] = piece
                content.missing -= 1
            }
            pthread_cond_broadcast(changed)
        }
    }

    /// Wakes whoever waits, after a failure.
    func wake() {
        locked { _ = pthread_cond_broadcast(changed) }
    }

    /// Waits for a change, but not for ever: a failure elsewhere in the pipeline tells nobody here.
    private func waitAWhile() {
        var until = timespec()
        clock_gettime(CLOCK_REALTIME, &until)
        until.tv_nsec += 100_000_000
        if until.tv_nsec >= 1_000_000_000 {
            until.tv_sec += 1
            until.tv_nsec -= 1_000_000_000
        }
        pthread_cond_timedwait(changed, mutex, &until)
    }

    /// Waits for all pieces of a file; throws the pipeline's failure.
    func pieces(of content: PendingContent) throws -> [BlobReference] {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        while !(content.isComplete && content.missing == 0) {
            try failure.check()
            waitAWhile()
        }
        return content.pieces.compactMap { $0 }
    }
}
