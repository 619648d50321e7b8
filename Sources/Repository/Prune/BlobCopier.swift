import Codec
import Platform

/// Copies stored blobs into new packs, each proved on the way; used by one thread.
final class BlobCopier {
    private struct OpenPack {
        let writer: PackWriter
        let staged: StagedFile
    }

    private let repository: Repository
    private let lease: HeldLease
    private let opener: BlobOpener
    private var data: OpenPack?
    private var trees: OpenPack?
    /// Bytes of the new packs that are published.
    private(set) var written: UInt64 = 0

    init(in repository: Repository, under lease: HeldLease) {
        self.repository = repository
        self.lease = lease
        opener = BlobOpener(repository)
    }

    /// Copies blobs; durable when it returns.
    ///
    /// - Returns: packs of which a blob could not be read: they must stay.
    func copy(
        _ blobs: [BlobLocation], checkpoint: () throws -> Void
    ) throws -> [Int64: any Error] {
        var hurt: [Int64: any Error] = [:]
        let inOrder = blobs.sorted { ($0.pack, $0.entry.offset) < ($1.pack, $1.entry.offset) }
        for place in inOrder {
            try checkpoint()
            do {
                let pack = try repository.pack(place.pack)
                let blob = try opener.recode(place.entry, in: pack)
                if blob.kind.isListing {
                    try append(blob, to: &trees)
                } else {
                    try append(blob, to: &data)
                }
            } catch let error as RepositoryError
                where error.code == .damaged || error.code == .absent
            {
                hurt[place.pack] = error
            }
        }
        try close(&data)
        try close(&trees)
        return hurt
    }

    private func append(_ blob: EncodedBlob, to slot: inout OpenPack?) throws {
        let open = try slot ?? begin(.packs)
        slot = open
        try open.writer.append(blob)
        if open.writer.size >= BlobStore.packSize || open.writer.count >= BlobStore.packBlobs {
            try close(&slot)
        }
    }

    private func begin(_ folder: Folder) throws -> OpenPack {
        try lease.check()
        let staged = try repository.place.stage(under: lease.id)
        let writer = try PackWriter(
            file: staged.file, folder: folder, keys: repository.keys,
            salt: repository.world.randomness.bytes(PackFormat.saltSize))
        return OpenPack(writer: writer, staged: staged)
    }

    private func close(_ slot: inout OpenPack?) throws {
        guard let open = slot else { return }
        slot = nil
        let pack = try open.writer.finish()
        try repository.publish(pack, open.staged, under: lease)
        written += pack.size
        if pack.name.folder == .packs { try repository.add(pack) }
    }

    /// Copies a whole segment, blob by blob, into a new one; durable when it returns.
    func copy(segment name: ObjectName) throws {
        let pack = try PackReader(name, in: repository.place)
        var slot: OpenPack? = try begin(.segments)
        for entry in try pack.index(with: opener.cipher(of: pack)) {
            try slot?.writer.append(opener.recode(entry, in: pack))
        }
        try close(&slot)
    }
}
