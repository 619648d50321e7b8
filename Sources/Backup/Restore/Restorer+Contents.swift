import Platform
import Repository

// Contents of files, on all cores.
extension Restorer {
    func queue(
        _ node: Node, _ pieces: [BlobReference], _ extents: [Extent]?,
        in directory: TargetDirectory, _ staleLogs: StaleLogs
    ) throws {
        let groups = split(pieces)
        let file = RestoredFile(
            node, extents: extents, in: directory, parts: groups.count, temporary: temporaryName(),
            staleLogs: staleLogs, metadata: metadata)
        guard groups.count == 1, node.size < Restorer.batchLimit else {
            for parts in groups {
                let bytes = parts.reduce(0) { $0 + $1.piece.size }
                try pool.submit(bytes: bytes) { file.write(parts, with: $0) }
            }
            return
        }
        batch.append((file, groups[0]))
        // What a waiting file costs beside its bytes counts too, or a million empty ones are free.
        batchBytes += Int(node.size) + Restorer.fileCost
        if batchBytes >= Restorer.batchLimit || batch.count == 64 { try flush() }
    }

    /// Pieces in runs that one job writes; an empty file has one empty run.
    func split(_ pieces: [BlobReference]) -> [[RestoredFile.Part]] {
        var groups: [[RestoredFile.Part]] = [[]]
        var offset: UInt64 = 0
        var size = 0
        for piece in pieces {
            if size > 0, size + piece.size > Restorer.partLimit {
                groups.append([])
                size = 0
            }
            groups[groups.count - 1].append(RestoredFile.Part(piece: piece, offset: offset))
            offset += UInt64(piece.size)
            size += piece.size
        }
        return groups
    }

    func flush() throws {
        guard !batch.isEmpty else { return }
        let files = batch
        let bytes = batchBytes
        batch = []
        batchBytes = 0
        try pool.submit(bytes: bytes) { tools in
            for (file, parts) in files { file.write(parts, with: tools) }
        }
    }
}
