import Codec
import Platform

/// The exclusive right to something in a repository, such as appending to one stream, while the
/// lease lives under which it was claimed.
///
/// Claims on a subject are numbered. The next number may be taken, exclusively, once the holder of
/// the last one has ended or was revoked; so there is never a moment with two holders, and a
/// holder that was revoked cannot publish what it still has.
package enum Claim {
    private enum Outcome {
        /// With what a dead former holder said of itself.
        case held(LeaseRecord?)
        case busy(LeaseRecord?)
    }

    /// Nanoseconds between two looks at a claim that somebody else holds.
    private static let pause: UInt64 = 200_000_000

    /// The name of a claim on something that must not be readable from the repository.
    package static func subject(_ name: [UInt8], in repository: Repository) -> String {
        name.withUnsafeBytes { repository.keys.blobHasher().digest($0).hex }
    }

    /// Takes a claim; a dead holder is revoked first.
    ///
    /// - Parameters:
    ///   - what: what is claimed, for the message.
    ///   - patience: nanoseconds to wait for a holder that lives.
    /// - Returns: what the former holder said of itself, where it had died and was revoked.
    /// - Throws: `locked`, naming the holder, when patience is over.
    @discardableResult
    package static func take(
        _ subject: String, what: String, in repository: Repository, under lease: HeldLease,
        patience: UInt64
    ) throws -> LeaseRecord? {
        let clock = repository.world.clock
        let deadline = clock.bootTime() &+ patience
        while true {
            let holder: LeaseRecord?
            switch try attempt(subject, repository, lease) {
            case .held(let dead): return dead
            case .busy(let record): holder = record
            }
            try lease.check()
            guard clock.bootTime() < deadline else {
                throw RepositoryError(
                    .locked, "\(what) is held by \(holder?.holder ?? "another process")",
                    hint: "Wait for it to end, or give --retry-lock 10m to wait for it.")
            }
            clock.sleep(nanoseconds: pause)
        }
    }

    /// Gives up a claim that the lease holds.
    package static func giveUp(
        _ subject: String, in repository: Repository, under lease: HeldLease
    ) throws {
        guard let last = try repository.place.claims(on: subject).last, last.lease == lease.id
        else { return }
        try repository.place.giveUpClaim(subject, number: last.number)
    }

    private static func attempt(
        _ subject: String, _ repository: Repository, _ lease: HeldLease
    ) throws -> Outcome {
        let place = repository.place
        guard let last = try place.claims(on: subject).last else {
            return try place.tryClaim(subject, 1, lease) ? .held(nil) : .busy(nil)
        }
        if last.lease == lease.id { return .held(nil) }
        var dead: LeaseRecord?
        if let bytes = try place.read(lease: last.lease) {
            let record = LeaseRecord.readable(bytes, of: last.lease)
            guard try repository.observer.state(of: last.lease, record) == .dead else {
                return .busy(record)
            }
            try place.revoke(lease: last.lease)
            dead = record
        }
        return try place.tryClaim(subject, last.number + 1, lease) ? .held(dead) : .busy(nil)
    }
}

extension Place {
    /// False where somebody else was first.
    fileprivate func tryClaim(
        _ subject: String, _ number: UInt64, _ lease: HeldLease
    ) throws -> Bool {
        do {
            try claim(subject, number: number, under: lease.id)
            return true
        } catch let error as RepositoryError where error.code == .exists {
            return false
        }
    }
}
