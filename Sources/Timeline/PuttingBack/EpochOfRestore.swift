// The epoch that begins when a restore writes a recorded state over the database it is of. Who
// writes its stream records that: a watch of this host is asked, else the restore itself, under a
// lease. Order: the right to the stream → the record of what is there (PresentState.swift) → the
// database, in one transaction → the record of that. What dies between the last two leaves its
// lease, which says what it was about to put back: whoever takes the stream over compares, and
// begins the epoch (DatabaseRecorder+PuttingBack.swift).

import Codec
package import Platform
package import Repository

/// The epoch that a restore over a recorded database begins; made before the database is written.
package final class EpochOfRestore {
    private enum Way {
        case asked(RestoreExchange)
        /// With what the claim's former holder said of itself, where it had died.
        case claimed(HeldLease, from: LeaseRecord?)
    }

    /// Nanoseconds to wait for a watch that ended while its database was being written over.
    private static let endPatience: UInt64 = 30_000_000_000

    private let repository: Repository
    private let identity: StreamIdentity
    private let path: FilePath
    private let restoration: Restoration
    private let host: String
    private var way: Way
    private var present: PresentState?
    /// Where that is recorded which the restore replaced; nil where it was not recorded here.
    package private(set) var former: Position?
    /// Whether a watch died that recorded the database: its journal may have what no segment has.
    package var followsDeadWatch: Bool {
        if case .claimed(_, let dead) = way { return dead?.purpose == "watch" }
        return false
    }

    /// - Parameters:
    ///   - identity: of the stream that the state is of.
    ///   - host: under whose name this host's databases are recorded.
    ///   - patience: nanoseconds to wait for another writer of the stream.
    /// - Returns: nil where a watch will find the database by itself, or it is another host's.
    /// - Throws: `locked` with the holder's name where somebody writes the stream who cannot be
    ///   asked; `readOnly` where nothing can be recorded.
    static func prepared(
        for restoration: Restoration, of identity: StreamIdentity, at path: FilePath, host: String,
        in repository: Repository, patience: UInt64
    ) throws -> EpochOfRestore? {
        try EpochOfRestore(identity, path, restoration, host, repository, patience)
    }

    private init?(
        _ identity: StreamIdentity, _ path: FilePath, _ restoration: Restoration, _ host: String,
        _ repository: Repository, _ patience: UInt64
    ) throws {
        self.identity = identity
        self.path = path
        self.restoration = restoration
        self.host = host
        self.repository = repository
        guard
            let way = try EpochOfRestore.way(
                identity, restoration, host, repository, patience: patience)
        else { return nil }
        self.way = way
    }

    private static func way(
        _ identity: StreamIdentity, _ restoration: Restoration, _ host: String,
        _ repository: Repository, patience: UInt64
    ) throws -> Way? {
        let subject = StreamClaim.subject(
            host: identity.host, path: identity.path, in: repository)
        let path = FilePath(bytes: identity.path)
        if let holder = try StreamClaim.holder(of: subject, in: repository) {
            do {
                let exchange = try RestoreExchange.begun(
                    with: holder.lease, heldBy: holder.record, for: path, restoration)
                if let exchange { return .asked(exchange) }
            } catch let refusal as RestoreExchange.Refused {
                guard refusal.isNotWatched else { throw refused(refusal, path) }
                return nil
            }
        }
        guard identity.host == host else { return nil }
        let lease = try HeldLease(
            on: repository.place, purpose: RestorePurpose.text(restoration.state),
            world: repository.world)
        do {
            try lease.declare(honouring: repository.marks)
            let dead = try Claim.take(
                subject, what: "the stream of \(path)", in: repository, under: lease,
                patience: patience)
            return .claimed(lease, from: dead)
        } catch {
            try lease.end()
            throw error
        }
    }

    private static func refused(
        _ refusal: RestoreExchange.Refused, _ path: FilePath
    ) -> RepositoryError {
        RepositoryError(
            .locked, "holdfast watch records \(path), and answers: \(refusal.reason)",
            hint: "Mend that, or stop the watch and run the restore again.")
    }

    /// The state was put back: begins the epoch, and answers its number.
    package func begin() throws -> UInt64 {
        switch way {
        case .claimed(let lease, _): return try record(under: lease)
        case .asked(let exchange):
            do {
                return try exchange.finish().reference.position.epoch
            } catch let refusal as RestoreExchange.Refused where !refusal.isNotWatched {
                throw EpochOfRestore.refused(refusal, path)
            } catch let error where error is SystemError || error is RestoreExchange.Refused {
                return try beginWithoutThatWatch()
            }
        }
    }

    /// The watch ended meanwhile; another one may have begun.
    private func beginWithoutThatWatch() throws -> UInt64 {
        let next = try EpochOfRestore.way(
            identity, restoration, host, repository, patience: EpochOfRestore.endPatience)
        guard let next else {
            throw RepositoryError(
                .locked, "the watch that records \(path) ended while it was restored",
                hint: "The next watch or backup records the restored state by comparison.")
        }
        way = next
        switch next {
        case .asked(let exchange): return try exchange.finish().reference.position.epoch
        case .claimed(let lease, _): return try record(under: lease)
        }
    }

    private func record(under lease: HeldLease) throws -> UInt64 {
        let result = Result { () throws -> UInt64 in
            let streams = try StreamIndex(of: repository).streams
            guard let stream = streams[identity.stream] else {
                throw RepositoryError(.damaged, "the stream of \(path) cannot be read")
            }
            let state = PutBackState(
                handle: try stream.record(at: restoration.state),
                firstPage: restoration.firstPage)
            return try stream.beginEpoch(at: state, in: repository, under: lease).position.epoch
        }
        try lease.end()
        return try result.get()
    }

    /// Nothing was put back.
    package func cancel() throws {
        letPresentGo()
        if case .claimed(let lease, _) = way { try lease.end() }
    }
}

// What the restore replaces.
extension EpochOfRestore {
    /// Records what is in the database, where no watch does; until ``letPresentGo()`` it is open.
    package func keepPresent(at location: DatabaseLocation, scratch: FilePath) throws {
        guard case .claimed(let lease, let dead) = way else { return }
        letPresentGo()
        // What a restore that died had put back is recorded but once.
        present = try PresentState(
            of: identity, at: location, in: repository, under: lease,
            from: former == nil ? dead : nil, scratch: scratch)
        former = present?.recorded?.reference.position
    }

    /// Whether what is in the database now is recorded, or it is not for the restore to do that;
    /// asked while nobody can commit.
    package func isPresentKept() throws -> Bool {
        guard let present else { return true }
        let isCurrent = try present.isCurrent()
        former = present.recorded?.reference.position
        return isCurrent
    }

    package func letPresentGo() {
        present?.close()
        present = nil
    }
}

extension Stream {
    /// Whether the database at a path is the stream's, by its name or as the same file.
    func isOf(_ path: FilePath) throws -> Bool {
        if path == self.path { return true }
        do {
            guard let there = try FileStatus.ofExisting(path),
                let own = try FileStatus.ofExisting(self.path)
            else { return false }
            return FileIdentity(there) == FileIdentity(own)
        } catch {
            // Nobody opens a database by a path that the system does not take.
            guard error.errno == .nameTooLong else { throw error }
            return false
        }
    }
}
