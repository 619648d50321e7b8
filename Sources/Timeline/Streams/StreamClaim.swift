import Codec
import Platform
import Repository

/// The exclusive right to append to a stream.
enum StreamClaim {
    /// Under which name the right is claimed.
    static func subject(host: String, path: [UInt8], in repository: Repository) -> String {
        Claim.subject(Array("stream ".utf8) + Array(host.utf8) + [0] + path, in: repository)
    }

    /// The same for the file itself, whatever names it has: SQLite keeps a log beside each name, so
    /// that who opens the other one sees half a database.
    static func subject(
        host: String, file: FileIdentity, in repository: Repository
    ) -> String {
        var name = ByteWriter()
        name.write(bytes: Array("file ".utf8) + Array(host.utf8) + [0])
        name.write(u64: file.device)
        name.write(u64: file.inode)
        return Claim.subject(name.bytes, in: repository)
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
