// A segment that cannot be read concerns its own stream alone. Which that is, the catalogue knows
// from when it was whole, or its first blob says.

import Codec
package import Repository

/// A segment that lies in the repository and cannot be read.
package struct HurtSegment: Sendable {
    package let name: ObjectName
    package let reason: any Error
    /// To what it belongs; nil where nobody can tell.
    package let identity: StreamIdentity?
    /// Its newest position, where the catalogue knows that.
    let newest: Position?

    init(
        _ name: ObjectName, because reason: any Error, in repository: Repository,
        with opener: BlobOpener
    ) throws {
        self.name = name
        self.reason = reason
        let noted = try HurtSegment.noted(name, in: repository)
        newest = noted?.newest.position
        identity = try noted?.identity ?? HurtSegment.head(of: name, in: repository, with: opener)
    }

    private static func noted(
        _ name: ObjectName, in repository: Repository
    ) throws -> SegmentNote? {
        try repository.catalogue.segmentNote(named: name.name).map {
            try SegmentNote(decoding: $0, of: name)
        }
    }

    /// What the segment begins with, where that can be read.
    private static func head(
        of name: ObjectName, in repository: Repository, with opener: BlobOpener
    ) throws -> StreamIdentity? {
        do {
            let pack = try PackReader(name, in: repository.place)
            guard let first = pack.firstBlob(with: opener.cipher(of: pack)),
                first.header.kind == .streamIdentity
            else { return nil }
            return try StreamIdentity(decoding: opener.read(first, in: pack))
        } catch let error as RepositoryError where [.damaged, .absent].contains(error.code) {
            return nil
        } catch is FormatError {
            return nil
        }
    }
}

extension Stream {
    /// Whether records behind the end may lie in a segment that cannot be read.
    ///
    /// - Parameter hasHole: whether records before the end are missing, which may be those.
    func mayEndLater(hasHole: Bool) -> Bool {
        hurt.contains { segment in
            guard let newest = segment.newest, let end else { return !hasHole }
            return newest > end.position
        }
    }
}
