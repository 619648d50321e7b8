import Codec
import Platform
package import Repository
import Synchronization

/// The repository a watch writes to, which may be away for a while.
///
/// Its lease is taken again where it was lost; what was staged under the old one is gone, and the
/// journal still has it.
package final class WatchRepository: Sendable {
    package let repository: Repository
    private let held: Mutex<HeldLease?>

    package init(_ repository: Repository, lease: HeldLease) {
        self.repository = repository
        held = Mutex(lease)
    }

    /// A lease that lives.
    func lease() throws -> HeldLease {
        try held.withLock { held in
            if let lease = held {
                if try repository.place.read(lease: lease.id) != nil {
                    try lease.check()
                    return lease
                }
                held = nil
            }
            let lease = try HeldLease(
                on: repository.place, purpose: "watch", world: repository.world)
            held = lease
            try repository.refresh()
            return lease
        }
    }

    /// A lease that lives, and says that its holder has read every mark there is: from now on
    /// nothing that prune wants to delete is built on. Called by the capture thread, which stores
    /// nothing at that moment.
    func leaseForStoring() throws -> HeldLease {
        let lease = try lease()
        try repository.refresh()
        try lease.declare(honouring: repository.marks)
        return lease
    }

    /// Ends the lease.
    package func end() throws {
        try held.withLock { held in
            try held?.end()
            held = nil
        }
    }
}
