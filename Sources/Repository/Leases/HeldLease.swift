import Platform
import Synchronization

/// A lease this process holds: renewed by a thread of its own until it ends.
package final class HeldLease: Sendable {
    private struct State {
        var generation: UInt64 = 0
        var failure: (any Error)?
        var renewer: WorkerThread?
    }

    /// Nanoseconds between renewals.
    static let renewal: UInt64 = 30 * 1_000_000_000

    package let id: LeaseID
    private let place: any Place
    private let record: LeaseRecord
    private let state = Mutex(State())
    private let stop: Alarm

    /// Takes a lease; before it nothing is read in the repository but config and keys.
    package init(
        on place: any Place, purpose: String, world: World
    ) throws {
        self.place = place
        stop = try Alarm()
        id = LeaseID.random(world.randomness)
        record = LeaseRecord(
            generation: 1, purpose: purpose, host: world.host, taken: world.clock.now(),
            process: world.process, namespace: world.namespace)
        try place.begin(lease: id, record.encoded)
        state.withLock { $0.generation = 1 }
        if world.renewsLeases {
            let thread = WorkerThread(name: "lease") { [self] in renewUntilEnd() }
            state.withLock { $0.renewer = thread }
        }
    }

    private func renewUntilEnd() {
        while !stop.wait(nanoseconds: HeldLease.renewal) {
            do {
                try renew()
            } catch {
                state.withLock { $0.failure = error }
                return
            }
        }
    }

    /// Shows observers that the holder lives; throws `revoked` where the lease is gone.
    package func renew() throws {
        var next = record
        next.generation = state.withLock { state in
            state.generation += 1
            return state.generation
        }
        try place.renew(lease: id, next.encoded)
    }

    /// Throws what made the last renewal fail.
    package func check() throws {
        if let failure = state.withLock({ $0.failure }) { throw failure }
    }

    /// Ends the lease. What was staged under it and not published is gone.
    package func end() throws {
        try stop.ring()
        let thread = state.withLock { state in
            defer { state.renewer = nil }
            return state.renewer
        }
        thread?.join()
        try place.end(lease: id)
    }
}
