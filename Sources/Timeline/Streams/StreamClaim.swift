import Platform
package import Repository

/// The exclusive right to append to a stream.
enum StreamClaim {
    /// Under which name the right is claimed.
    static func subject(host: String, path: [UInt8], in repository: Repository) -> String {
        Claim.subject(Array("stream ".utf8) + Array(host.utf8) + [0] + path, in: repository)
    }

    /// The watch that holds the right, or held it last, alive or not.
    static func holder(
        of subject: String, in repository: Repository
    ) throws -> (lease: LeaseID, record: LeaseRecord)? {
        guard let lease = try repository.place.claims(on: subject).last?.lease,
            let bytes = try repository.place.read(lease: lease),
            let record = LeaseRecord.readable(bytes, of: lease), record.purpose == "watch"
        else { return nil }
        return (lease, record)
    }
}

extension Stream {
    /// Whether a watch that lives records the stream: then there is no commit it does not know of,
    /// but for those of the last moment.
    package func isWatched(in repository: Repository) throws -> Bool {
        let subject = StreamClaim.subject(
            host: identity.host, path: identity.path, in: repository)
        guard let holder = try StreamClaim.holder(of: subject, in: repository) else { return false }
        return try repository.observer.state(of: holder.lease, holder.record) == .alive
    }
}
