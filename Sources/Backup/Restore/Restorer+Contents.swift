import Platform
import Repository

// Contents of files, on all cores.
extension Restorer {
    func queue(
        _ node: Node, _ pieces: PieceList, _ extents: [Extent]?, in directory: TargetDirectory,
        _ staleLogs: StaleLogs
    ) throws {
        let file = RestoredFile(
            node, extents: extents, in: directory, temporary: temporaryName(),
            staleLogs: staleLogs, metadata: metadata)
        var parts = PartSequence(PieceSequence(pieces, from: browser.opener))
        guard node.size < Restorer.batchLimit, pieces.level == 0 else {
            // Whatever ends it, the last part removes what is not complete.
            defer { file.write([], with: browser.opener) }
            do {
                return try submit(&parts, of: file, in: directory)
            } catch {
                file.giveUp()
                throw error
            }
        }
        // So few bytes are one part.
        batch.append((file, try parts.next() ?? []))
        batchBytes += Int(node.size) + waitingCost(in: directory)
        if batchBytes >= Restorer.batchLimit || batch.count == 64 { try flush() }
    }

    /// Hands out a file's parts as the pool takes them, so that none waits but those in work.
    private func submit(
        _ parts: inout PartSequence, of file: RestoredFile, in directory: TargetDirectory
    ) throws {
        while true {
            if isInterrupted() { throw Interrupted() }
            let next: [RestoredFile.Part]?
            do {
                next = try parts.next()
            } catch {
                return file.fail(error)
            }
            guard let next else { return }
            file.expectOneMore()
            let bytes = next.reduce(waitingCost(in: directory)) { $0 + $1.piece.size }
            try pool.submit(bytes: bytes) { file.write(next, with: $0.opener) }
        }
    }

    /// What a waiting file costs beside its bytes, or a million empty ones would be free: memory,
    /// and with the first of a directory that directory's descriptor.
    func waitingCost(in directory: TargetDirectory) -> Int {
        guard lastPinned !== directory else { return Restorer.fileCost }
        lastPinned = directory
        return Restorer.fileCost + directoryCost
    }

    func flush() throws {
        guard !batch.isEmpty else { return }
        let files = batch
        let bytes = batchBytes
        batch = []
        batchBytes = 0
        try pool.submit(bytes: bytes) { tools in
            for (file, parts) in files { file.write(parts, with: tools.opener) }
        }
    }
}

/// Groups a file's pieces into what one job writes.
private struct PartSequence {
    private static let limit = 8 << 20

    private var pieces: PieceSequence
    private var ahead: BlobReference?
    private var offset: UInt64 = 0

    init(_ pieces: PieceSequence) {
        self.pieces = pieces
    }

    mutating func next() throws -> [RestoredFile.Part]? {
        var parts: [RestoredFile.Part] = []
        var size = 0
        while let piece = try ahead ?? pieces.next() {
            ahead = piece
            if size > 0, size + piece.size > PartSequence.limit { break }
            ahead = nil
            parts.append(RestoredFile.Part(piece: piece, offset: offset))
            offset += UInt64(piece.size)
            size += piece.size
        }
        return parts.isEmpty ? nil : parts
    }
}
