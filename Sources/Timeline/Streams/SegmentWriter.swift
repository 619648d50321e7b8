// A segment: a pack in the folder `segments` that holds records of one stream, in order:
//
//     streamIdentity, then for each record
//         pageTable… pageBodies…     of a change set, or
//         pageHashes… pageMap…       of a base (each about 256 KiB of hashes or blob ids), then
//         record
//
// The lock page's slot in a base's hashes is zero.

import Codec
import Platform
package import Repository

/// Writes one segment under a lease; published by the caller once what it refers to is durable.
package final class SegmentWriter {
    private let repository: Repository
    private let staged: StagedFile
    private let writer: PackWriter
    private let hasher: KeyedHasher

    package init(of identity: StreamIdentity, in repository: Repository, under lease: HeldLease)
        throws
    {
        self.repository = repository
        staged = try repository.place.stage(under: lease.id)
        writer = try PackWriter(
            file: staged.file, folder: .segments, keys: repository.keys,
            salt: repository.world.randomness.bytes(PackFormat.saltSize))
        hasher = repository.keys.blobHasher()
        try append(identity.encoded, kind: .streamIdentity)
    }

    /// Bytes so far.
    var size: UInt64 { writer.size }

    package func append(_ bytes: [UInt8], kind: BlobKind) throws {
        let id = bytes.withUnsafeBytes { BlobID(hasher.digest($0)) }
        try writer.append(
            EncodedBlob(
                kind: kind, codec: .stored, plainSize: bytes.count, id: id, bytes: bytes[...]))
    }

    /// Gives the segment up: where the repository is full, its bytes must not stay there.
    func discard(in repository: Repository, under lease: HeldLease) throws {
        try repository.place.discard(staged.name, under: lease.id)
    }

    /// Completes the segment; nothing names it yet.
    package func finish() throws -> PendingSegment {
        PendingSegment(pack: try writer.finish(), staged: staged)
    }
}

/// A segment whose bytes are complete and that waits for what it refers to.
package struct PendingSegment: Sendable {
    package let pack: FinishedPack
    package let staged: StagedFile

    /// Makes the segment durable and visible.
    package func publish(in repository: Repository, under lease: HeldLease) throws {
        try repository.publish(pack, staged, under: lease)
    }
}
