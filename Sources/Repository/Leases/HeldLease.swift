import Platform
import Synchronization

/// A lease this process holds: renewed by a thread of its own until it ends.
package final class HeldLease: Sendable {
    private struct State {
        var generation: UInt64 = 0
        var honours = HonouredMarks()
        var failure: (any Error)?
        /// When the lease was last shown to live, in BOOTTIME.
        var renewedAt: UInt64 = 0
        var renewer: WorkerThread?
        var isEnded = false
    }

    /// Nanoseconds between renewals.
    static let renewal: UInt64 = 30 * 1_000_000_000
    /// Nanoseconds to a further attempt after a renewal that failed.
    static let pause: UInt64 = 5 * 1_000_000_000
    /// Nanoseconds without a renewal after which the holder gives up: a minute before others may
    /// call the lease dead. Until then nothing is lost, and a disk that was full for a moment must
    /// not cost a backup of hours.
    static let patience = LeaseObserver.stillLimit - 2 * renewal

    package let id: LeaseID
    private let place: any Place
    private let clock: any Clock
    private let record: LeaseRecord
    private let state = Mutex(State())
    private let stop: Alarm

    /// Takes a lease; before it nothing is read in the repository but config and keys.
    package init(
        on place: any Place, purpose: String, world: World
    ) throws {
        self.place = place
        clock = world.clock
        stop = try Alarm()
        id = LeaseID.random(world.randomness)
        record = LeaseRecord(
            generation: 1, purpose: purpose, host: world.host, taken: world.clock.now(),
            process: world.process, namespace: world.namespace)
        let now = clock.bootTime()
        try place.begin(lease: id, record.encoded)
        state.withLock { state in
            state.generation = 1
            state.renewedAt = now
        }
        if world.renewsLeases {
            let thread = WorkerThread(name: "lease") { [self] in renewUntilEnd() }
            state.withLock { $0.renewer = thread }
        }
    }

    private func renewUntilEnd() {
        var next: UInt64? = HeldLease.renewal
        while let wait = next, !stop.wait(nanoseconds: wait) { next = keepAlive() }
    }

    /// Renews the lease, or finds that it is to be tried again, or that it is over.
    ///
    /// - Returns: nanoseconds until the next call; nil where ``check()`` throws from now on.
    package func keepAlive() -> UInt64? {
        // Taken before: observers count from when they saw the generation, which is not earlier.
        let now = clock.bootTime()
        do {
            try renew()
            state.withLock { $0.renewedAt = now }
            return HeldLease.renewal
        } catch {
            let isRevoked = (error as? RepositoryError)?.code == .revoked
            return state.withLock { state in
                guard isRevoked || now &- state.renewedAt >= HeldLease.patience else {
                    return HeldLease.pause
                }
                state.failure = error
                return nil
            }
        }
    }

    /// Shows observers that the holder lives; throws `revoked` where the lease is gone.
    package func renew() throws {
        var next = record
        (next.generation, next.honours) = state.withLock { state in
            state.generation += 1
            return (state.generation, state.honours)
        }
        try place.renew(lease: id, next.encoded)
    }

    /// Tells prune that the holder has read these marks, and that nothing it stored and did not
    /// publish, or is about to store, builds on what lies in the marked files.
    ///
    /// For writers: a reader that says so must be ready to look for its blobs again.
    package func declare(honouring marks: Set<String>) throws {
        state.withLock { $0.honours = $0.honours.declaring(marks) }
        try renew()
    }

    /// Throws what made renewing the lease fail for good.
    package func check() throws {
        if let failure = state.withLock({ $0.failure }) { throw failure }
    }

    /// Ends the lease. What was staged under it and not published is gone. Once only: a second call
    /// does nothing, whatever came of the first.
    package func end() throws {
        let isFirst = state.withLock { state in
            defer { state.isEnded = true }
            return !state.isEnded
        }
        guard isFirst else { return }
        try stop.ring()
        let thread = state.withLock { state in
            defer { state.renewer = nil }
            return state.renewer
        }
        thread?.join()
        try place.end(lease: id)
    }
}
