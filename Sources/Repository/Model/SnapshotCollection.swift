package import Codec
import Platform

/// A snapshot with its name.
package struct StoredSnapshot: Sendable {
    /// The SHA-256 of the snapshot's file.
    package let id: Digest
    package let snapshot: Snapshot

    package var shortID: String { String(id.hex.prefix(8)) }
}

extension Repository {
    /// All snapshots that can be read, oldest first, and those that cannot.
    package func snapshots() throws -> (
        readable: [StoredSnapshot], damaged: [(name: ObjectName, reason: any Error)]
    ) {
        expectNewPacks()
        let opener = BlobOpener(self)
        var readable: [StoredSnapshot] = []
        var damaged: [(name: ObjectName, reason: any Error)] = []
        for file in try place.list(.snapshots) where file.name.isSealedName {
            do {
                readable.append(try snapshot(named: file.name, with: opener))
            } catch let error as RepositoryError where error.code == .absent {
                continue  // it was forgotten since it was listed
            } catch let error as RepositoryError where error.code != .readOnly {
                damaged.append((file.name, error))
            }
        }
        readable.sort { ($0.snapshot.time, $0.id) < ($1.snapshot.time, $1.id) }
        return (readable, damaged)
    }

    private func snapshot(named name: ObjectName, with opener: BlobOpener) throws -> StoredSnapshot
    {
        guard let id = Digest(hex: name.name) else {
            throw RepositoryError.damage("its name is no digest", in: "\(name)")
        }
        let pack = try PackReader(name, in: place)
        let entries = try pack.index(with: opener.cipher(of: pack))
        guard entries.count == 1, let entry = entries.first, entry.header.kind == .snapshot else {
            throw RepositoryError.damage("it is not one snapshot", in: "\(name)")
        }
        do {
            return StoredSnapshot(
                id: id, snapshot: try Snapshot(decoding: opener.read(entry, in: pack)))
        } catch let error as FormatError {
            throw RepositoryError.damage("\(error)", in: "\(name)")
        }
    }

    /// Writes a snapshot, the only commit point of a backup: durable when this returns.
    package func save(_ snapshot: Snapshot, under lease: HeldLease) throws -> StoredSnapshot {
        let bytes = snapshot.encoded
        try requireReadable(bytes)
        let id = bytes.withUnsafeBytes { BlobID(keys.blobHasher().digest($0)) }
        let blob = EncodedBlob(
            kind: .snapshot, codec: .stored, plainSize: bytes.count, id: id, bytes: bytes[...])
        let pack = try save([blob], in: .snapshots, under: lease)
        guard let digest = Digest(hex: pack.name.name) else {
            throw RepositoryError.damage("its name is no digest", in: "\(pack.name)")
        }
        return StoredSnapshot(id: digest, snapshot: snapshot)
    }

    /// A snapshot that nobody could read again must not be reported as saved.
    private func requireReadable(_ bytes: [UInt8]) throws {
        do {
            guard bytes.count <= BlobHeader.plainLimit else {
                throw FormatError("\(bytes.count) bytes")
            }
            _ = try Snapshot(decoding: bytes)
        } catch {
            throw RepositoryError(
                .absent, "this is more than one snapshot can hold (\(error))",
                hint: "Name fewer paths, such as the directories that hold them.")
        }
    }

    /// Writes a small pack of a folder in one go: synced, published and settled.
    package func save(
        _ blobs: [EncodedBlob], in folder: Folder, under lease: HeldLease
    ) throws -> FinishedPack {
        try lease.check()
        let staged = try place.stage(under: lease.id)
        let writer = try PackWriter(
            file: staged.file, folder: folder, keys: keys,
            salt: world.randomness.bytes(PackFormat.saltSize))
        for blob in blobs { try writer.append(blob) }
        let pack = try writer.finish()
        try publish(pack, staged, under: lease)
        return pack
    }

    /// Makes a finished pack durable and visible.
    package func publish(
        _ pack: FinishedPack, _ staged: StagedFile, under lease: HeldLease
    ) throws {
        try staged.file.sync()
        try staged.file.close()
        try lease.check()
        try place.publish(staged.name, under: lease.id, as: pack.name)
        try place.settle(pack.name.folder)
    }

    /// So many digits of an id name a snapshot; fewer are sooner a slip than a name.
    private static var fewestDigits: Int { 4 }

    /// The snapshot a person names: `latest`, `latest~N`, an id or the beginning of one.
    ///
    /// - Parameter candidates: snapshots, oldest first, from which `latest` counts back.
    package func find(
        _ name: String, among candidates: [StoredSnapshot]
    ) throws -> StoredSnapshot {
        if name == "latest" || name.hasPrefix("latest~") {
            let back = name == "latest" ? 0 : Int(name.dropFirst("latest~".count))
            guard let back, back >= 0 else {
                throw RepositoryError(.absent, "'\(name)' is no snapshot: write latest~N")
            }
            guard back < candidates.count else {
                throw RepositoryError(
                    .absent, "there is no snapshot '\(name)': \(candidates.count) to choose from",
                    hint: "List them with 'holdfast snapshots'.")
            }
            return candidates[candidates.count - 1 - back]
        }
        guard name.utf8.count >= Self.fewestDigits else {
            throw RepositoryError(
                .absent, "'\(name)' is too short to name a snapshot",
                hint: "Give at least \(Self.fewestDigits) digits of its id.")
        }
        let matches = candidates.filter { $0.id.hex.hasPrefix(name) }
        guard let match = matches.first else {
            throw RepositoryError(
                .absent, "there is no snapshot '\(name)' in \(place.location)",
                hint: "List them with 'holdfast snapshots'.")
        }
        guard matches.count == 1 else {
            let ids = matches.prefix(4).map(\.shortID).joined(separator: ", ")
            throw RepositoryError(
                .absent, "'\(name)' begins \(matches.count) snapshots: \(ids)",
                hint: "Give more digits of the one you mean.")
        }
        return match
    }
}
