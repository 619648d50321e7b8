import Codec
import Platform
package import Repository
import Synchronization

/// The repository a watch writes to, which may be away for a while.
///
/// Where its lease was lost meanwhile, another one is taken, and every claim under it; what was
/// staged under the old one is gone, and the journals still have it.
package final class WatchRepository: Sendable {
    private struct State {
        var lease: HeldLease
        /// The streams that are written, by the subject of the claim.
        var claims: [String: FilePath] = [:]
    }

    package let repository: Repository
    private let state: Mutex<State>
    /// Whether the capture thread may be storing; held while marks are declared beside it.
    private let isStoring = Mutex(false)
    private let whenLeased: @Sendable (HeldLease) throws -> Void

    /// - Parameter whenLeased: called with each lease that takes the place of a lost one.
    package init(
        _ repository: Repository, lease: HeldLease,
        whenLeased: @escaping @Sendable (HeldLease) throws -> Void
    ) {
        self.repository = repository
        self.whenLeased = whenLeased
        state = Mutex(State(lease: lease))
    }

    /// A lease that lives; throws what keeps the repository away.
    func lease() throws -> HeldLease {
        try state.withLock { state in
            if try isGood(state.lease) { return state.lease }
            try requireSameRepository()
            let lease = try HeldLease(
                on: repository.place, purpose: "watch", world: repository.world)
            do {
                // Its holder, this process, lives: while it stands nobody gets its claims.
                try repository.place.revoke(lease: state.lease.id)
                try repository.refresh()
                for (subject, path) in state.claims {
                    try Claim.take(
                        subject, what: "the stream of \(path)", in: repository, under: lease,
                        patience: 0)
                }
                try whenLeased(lease)
            } catch {
                // The next try takes a new one; this one must not stand in its way.
                try? lease.end()
                throw error
            }
            // Nothing is left of it that could fail.
            try? state.lease.end()
            state.lease = lease
            return lease
        }
    }

    /// What lies there now may be the bare mount point, or what somebody made in its place.
    private func requireSameRepository() throws {
        let identity = try RepositoryConfig.read(from: repository.place)
        guard identity == repository.identity else {
            throw RepositoryError(
                .missing,
                "another repository lies at \(repository.place.location) than when the watch began")
        }
    }

    private func isGood(_ lease: HeldLease) throws -> Bool {
        guard try repository.place.read(lease: lease.id) != nil else { return false }
        do {
            try lease.check()
            return true
        } catch {
            return false  // it could not be renewed for too long: who looks on may call it dead
        }
    }

    /// Notes a claim that a lease of this watch holds.
    func noteClaim(on subject: String, of path: FilePath) {
        state.withLock { $0.claims[subject] = path }
    }

    /// Gives up a claim that a lease of this watch holds for a database, and for no other since:
    /// two may have swapped their files.
    func giveUpClaim(on subject: String, of path: FilePath) throws {
        guard state.withLock({ $0.claims[subject] == path }) else { return }
        try Claim.giveUp(subject, in: repository, under: lease())
        state.withLock { $0.claims[subject] = nil }
    }

    /// A lease that lives, and says that its holder has read every mark there is: from now on
    /// nothing that prune wants to delete is built on. Called by the capture thread, before it
    /// stores a base or a comparison.
    func leaseForStoring() throws -> HeldLease {
        isStoring.withLock { $0 = true }
        return try declaredLease()
    }

    /// The capture thread has published or given up what it stored. It waits for nobody here.
    func endStoring() {
        _ = isStoring.withLockIfAvailable { $0 = false }
    }

    /// Lets prune delete what it has marked since the last time, unless the capture thread is
    /// storing right now: it may build on what it found before the marks were made.
    func declareMarks() throws {
        try isStoring.withLock { isStoring in
            if !isStoring { _ = try declaredLease() }
        }
    }

    private func declaredLease() throws -> HeldLease {
        let lease = try lease()
        try repository.refresh()
        try lease.declare(honouring: repository.marks)
        return lease
    }

    /// Ends the lease.
    package func end() throws {
        try state.withLock { try $0.lease.end() }
    }
}
