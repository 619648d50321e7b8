import Codec
import Repository

/// What reading one page group gave: its pages' hashes in a base, or its changed pages.
struct GroupOutcome: Sendable {
    enum Content: Sendable {
        /// All hashes (zero for the lock page), and the blob that holds the pages.
        case base(hashes: [Digest], blob: BlobID)
        /// Pages that differ from the state before, with their bodies one after another.
        case changes([PageTableEntry], bodies: [UInt8])
    }

    /// What the group adds to the state root.
    let sum: StateRoot
    let content: Content

    var encoded: [UInt8] {
        var writer = ByteWriter()
        writer.write(digest: sum.digest)
        switch content {
        case .base(let hashes, let blob):
            writer.write(u8: 0)
            writer.write(varint: UInt64(hashes.count))
            for hash in hashes { writer.write(digest: hash) }
            writer.write(digest: blob.digest)
        case .changes(let entries, let bodies):
            writer.write(u8: 1)
            writer.write(counted: PageTable.encode(entries))
            writer.write(counted: bodies)
        }
        return writer.bytes
    }

    init(sum: StateRoot, content: Content) {
        self.sum = sum
        self.content = content
    }

    init(decoding bytes: [UInt8]) throws(FormatError) {
        var reader = ByteReader(bytes)
        sum = StateRoot(try reader.digest())
        if try reader.u8() == 0 {
            var hashes: [Digest] = []
            for _ in 0..<(try reader.count(limit: 512, elementSize: 32)) {
                hashes.append(try reader.digest())
            }
            content = .base(hashes: hashes, blob: BlobID(try reader.digest()))
        } else {
            let entries = try PageTable.decode(reader.counted(limit: 1 << 20))
            content = .changes(entries, bodies: try reader.counted(limit: 1 << 20))
        }
        try reader.finish()
    }
}
