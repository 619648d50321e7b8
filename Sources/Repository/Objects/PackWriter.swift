package import Codec
package import Platform

/// A blob that is hashed and compressed, ready to be sealed into a pack.
package struct EncodedBlob: Sendable {
    package let kind: BlobKind
    package let codec: BlobCodec
    package let plainSize: Int
    package let id: BlobID
    package let bytes: ArraySlice<UInt8>

    package init(
        kind: BlobKind, codec: BlobCodec, plainSize: Int, id: BlobID, bytes: ArraySlice<UInt8>
    ) {
        self.kind = kind
        self.codec = codec
        self.plainSize = plainSize
        self.id = id
        self.bytes = bytes
    }
}

/// A pack whose bytes are complete: what it will be called, and what lies in it.
package struct FinishedPack: Sendable {
    package let name: ObjectName
    package let size: UInt64
    package let entries: [PackEntry]
}

/// Seals blobs into a file that is not published yet; used by one thread.
package final class PackWriter {
    private let file: any DiskWriter
    private let folder: Folder
    private let cipher: Cipher
    private let hasher = Hasher256()
    private let header: [UInt8]
    private var pending: [UInt8] = []
    private var flushed: UInt64 = 0
    private var entries: [PackEntry] = []

    /// Bytes are handed to the file, and to the name's hash, in runs of about this size.
    private static let runSize = 1 << 20

    /// Begins a pack of `folder` in `file`; `salt` must never have been used under `keys` before.
    package init(file: any DiskWriter, folder: Folder, keys: RepositoryKeys, salt: [UInt8]) throws {
        precondition(salt.count == PackFormat.saltSize)
        self.file = file
        self.folder = folder
        cipher = keys.packCipher(salt: salt)
        header = PackFormat.header(folder: folder, salt: salt)
        hasher.begin()
        pending.reserveCapacity(PackWriter.runSize + (1 << 16))
        pending.append(contentsOf: header)
    }

    /// Bytes written so far, without index and footer.
    package var size: UInt64 { flushed + UInt64(pending.count) }
    /// Blobs so far.
    package var count: Int { entries.count }

    /// Appends one blob; throws what the disk throws.
    package func append(_ blob: EncodedBlob) throws {
        let offset = size
        let blobHeader = BlobHeader(
            kind: blob.kind, codec: blob.codec, storedSize: blob.bytes.count,
            plainSize: blob.plainSize, id: blob.id)
        var writer = ByteWriter(capacity: BlobHeader.size)
        blobHeader.encode(into: &writer)
        pending.append(contentsOf: writer.bytes)
        blob.bytes.withUnsafeBytes { seal($0, nonce: offset, authenticating: writer.bytes) }
        entries.append(PackEntry(offset: offset, header: blobHeader))
        if pending.count >= PackWriter.runSize { try flush() }
    }

    /// Writes index and footer. Nothing is synced, and nothing names the pack, yet.
    package func finish() throws -> FinishedPack {
        let indexOffset = size
        PackFormat.encode(index: entries).withUnsafeBytes {
            seal($0, nonce: indexOffset, authenticating: header)
        }
        let footer = PackFooter(
            indexOffset: indexOffset, indexSize: Int(size - indexOffset), blobCount: entries.count)
        pending.append(contentsOf: footer.encoded)
        try flush()
        let name = ObjectName(folder, hasher.finish().hex)
        return FinishedPack(name: name, size: flushed, entries: entries)
    }

    private func seal(
        _ plain: UnsafeRawBufferPointer, nonce: UInt64, authenticating header: [UInt8]
    ) {
        let start = pending.count
        let size = plain.count + Cipher.tagSize
        pending.append(contentsOf: repeatElement(0, count: size))
        pending.withUnsafeMutableBytes { bytes in
            let output = UnsafeMutableRawBufferPointer(rebasing: bytes[start..<start + size])
            header.withUnsafeBytes {
                cipher.seal(plain, nonce: nonce, authenticating: $0, into: output)
            }
        }
    }

    private func flush() throws {
        try pending.withUnsafeBytes { bytes in
            hasher.update(bytes)
            try file.write(bytes)
        }
        flushed += UInt64(pending.count)
        pending.removeAll(keepingCapacity: true)
    }
}
