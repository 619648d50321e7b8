// When is a lease dead? Wrongly calling one dead costs its holder a retry, nothing else: what it
// wrote becomes visible only by a rename that fails once the lease is revoked.
//
// - Its process ran on this boot, in this PID namespace, and is gone: dead at once.
// - Its process ran on an earlier boot of this host: dead at once.
// - Its generation stood still for ``stillLimit`` on the observer's own clock: dead. Each look is
//   remembered in the catalogue, so that the looks of several runs count together.

package import Platform

/// What an observer knows of a lease.
package enum LeaseState: Sendable, Equatable {
    case alive
    case dead
    /// Nobody here can tell yet; it will be dead in so many seconds if it stands still.
    case unknown(secondsLeft: Int)
}

/// Tells dead leases from live ones.
package struct LeaseObserver {
    /// How long a generation must stand still, in nanoseconds. Holders renew each 30 s.
    package static let stillLimit: UInt64 = 15 * 60 * 1_000_000_000

    private let catalogue: Catalogue
    private let clock: any Clock
    private let process: ProcessIdentity
    private let host: String
    private let namespace: String

    package init(
        catalogue: Catalogue, clock: any Clock, process: ProcessIdentity, host: String,
        namespace: String
    ) {
        self.catalogue = catalogue
        self.clock = clock
        self.process = process
        self.host = host
        self.namespace = namespace
    }

    /// Looks at a lease once; `record` is nil where what it says cannot be read.
    package func state(of lease: LeaseID, _ record: LeaseRecord?) throws -> LeaseState {
        if let record, record.process.bootID == process.bootID, record.namespace == namespace {
            return record.process.isAlive() ? .alive : .dead
        }
        if let record, record.host == host, record.process.bootID != process.bootID {
            return .dead
        }
        let still = try catalogue.stillTime(
            of: lease, generation: record?.generation ?? 0, boot: process.bootID,
            now: clock.bootTime())
        guard still < LeaseObserver.stillLimit else { return .dead }
        return .unknown(secondsLeft: Int((LeaseObserver.stillLimit - still) / 1_000_000_000))
    }
}
