import Codec
package import Repository

/// Removes snapshots; what they alone needed is freed by a prune.
package struct Forgetter {
    private let repository: Repository
    private let lease: HeldLease

    /// Takes the right to forget, so that two policies at once never remove what the other one
    /// counts on; the snapshots are to be listed afterwards.
    ///
    /// - Parameter patience: nanoseconds to wait for another one.
    /// - Throws: `locked` while another process forgets.
    package init(
        in repository: Repository, under lease: HeldLease, patience: UInt64
    ) throws {
        self.repository = repository
        self.lease = lease
        try Claim.take(
            Claim.subject(Array("forget".utf8), in: repository), what: "the right to forget",
            in: repository, under: lease, patience: patience)
    }

    /// Removes snapshots in that order; durable when it returns.
    package func remove(_ names: [ObjectName], checkpoint: () throws -> Void) throws {
        for name in names {
            try checkpoint()
            try lease.check()
            // Who was paused and lost the lease must not go on where another one forgets by now.
            guard try repository.place.read(lease: lease.id) != nil else {
                throw RepositoryError(
                    .revoked, "the lease was revoked while this process was away",
                    hint: "Run the command again.")
            }
            try repository.place.remove([name])
        }
    }
}
