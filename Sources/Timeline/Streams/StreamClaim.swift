import Platform
import Repository

/// The exclusive right to append to a stream.
enum StreamClaim {
    /// Under which name the right is claimed.
    static func subject(host: String, path: [UInt8], in repository: Repository) -> String {
        Claim.subject(Array("stream ".utf8) + Array(host.utf8) + [0] + path, in: repository)
    }

    /// Who took the right last and has not given it back, whether alive or dead.
    static func holder(
        of subject: String, in repository: Repository
    ) throws -> (lease: LeaseID, record: LeaseRecord)? {
        let place = repository.place
        guard let lease = try place.claims(on: subject).last?.lease,
            let bytes = try place.read(lease: lease),
            let record = LeaseRecord.readable(bytes, of: lease)
        else { return nil }
        return (lease, record)
    }
}
