// A pack: the one container in which all sealed content lies (folders packs, segments, snapshots).
//
//     offset     size  content
//     0          8     "HoldPack"
//     8          2     version, little-endian (1)
//     10         1     folder: 1 packs, 2 segments, 3 snapshots
//     11         5     zero
//     16         32    salt
//     48         …     blobs, one after another
//     index      …     sealed index
//     end - 32   8     offset of the index, little-endian
//     end - 24   4     size of the sealed index
//     end - 20   4     number of blobs
//     end - 16   8     zero
//     end - 8    8     "HoldEnd\n"
//
//     a blob:    4     "HBlb"
//                1     version (1)
//                1     kind
//                1     codec: 0 stored, 1 zlib
//                1     zero
//                4     stored size (without the tag)
//                4     plain size
//                32    id
//                …     AES-256-GCM ciphertext, then its tag of 16 bytes
//
// The pack's key is HKDF(encryption key, salt, "pack"). A blob's nonce is its offset, its header
// the associated data; so a blob that is moved, swapped or renamed does not open. The index is
// sealed under the offset where it lies, with the pack's header as associated data.
//
// Invariants: the name of a pack is the SHA-256 of its bytes. Nothing in a pack changes after it
// is published. The index says nothing that the blobs' headers do not say: a pack that lost its
// tail is read by scanning for headers.

package import Codec

/// How a blob's place in a pack begins.
package struct BlobHeader: Sendable, Hashable {
    /// Bytes of an encoded header.
    package static let size = 48
    /// The most plain bytes a blob may claim; what claims more is damage.
    package static let plainLimit = 16 << 20
    static let magic: UInt32 = 0x626C_4248

    package let kind: BlobKind
    package let codec: BlobCodec
    package let storedSize: Int
    package let plainSize: Int
    package let id: BlobID

    /// Bytes from the header's first to the tag's last.
    package var span: Int { BlobHeader.size + storedSize + Cipher.tagSize }

    package init(kind: BlobKind, codec: BlobCodec, storedSize: Int, plainSize: Int, id: BlobID) {
        self.kind = kind
        self.codec = codec
        self.storedSize = storedSize
        self.plainSize = plainSize
        self.id = id
    }

    func encode(into writer: inout ByteWriter) {
        writer.write(u32: BlobHeader.magic)
        writer.write(u8: 1)
        writer.write(u8: kind.rawValue)
        writer.write(u8: codec.rawValue)
        writer.write(u8: 0)
        writer.write(u32: UInt32(storedSize))
        writer.write(u32: UInt32(plainSize))
        writer.write(digest: id.digest)
    }

    init(from reader: inout ByteReader) throws(FormatError) {
        guard try reader.u32() == BlobHeader.magic else { throw FormatError("no blob begins here") }
        guard try reader.u8() == 1 else { throw FormatError("blob of an unknown version") }
        try self.init(fieldsFrom: &reader, reserved: true)
    }

    /// The fields that a header and an entry of the index share.
    init(fieldsFrom reader: inout ByteReader, reserved: Bool) throws(FormatError) {
        guard let kind = BlobKind(rawValue: try reader.u8()) else {
            throw FormatError("blob of an unknown kind")
        }
        guard let codec = BlobCodec(rawValue: try reader.u8()) else {
            throw FormatError("blob of an unknown codec")
        }
        if reserved, try reader.u8() != 0 { throw FormatError("reserved byte of a blob is set") }
        let stored = Int(try reader.u32())
        let plain = Int(try reader.u32())
        guard plain <= BlobHeader.plainLimit, stored <= plain, codec == .zlib || stored == plain
        else { throw FormatError("blob sizes out of range") }
        let id = BlobID(try reader.digest())
        self.init(kind: kind, codec: codec, storedSize: stored, plainSize: plain, id: id)
    }
}

/// A blob's header and where it lies in its pack.
package struct PackEntry: Sendable, Hashable {
    package let offset: UInt64
    package let header: BlobHeader

    package init(offset: UInt64, header: BlobHeader) {
        self.offset = offset
        self.header = header
    }
}

/// The fixed parts of a pack.
package enum PackFormat {
    package static let headerSize = 48
    package static let footerSize = 32
    package static let saltSize = 32
    static let magic = Array("HoldPack".utf8)
    static let endMagic = Array("HoldEnd\n".utf8)
    static let version: UInt16 = 1
    /// Bytes an index entry takes.
    static let entrySize = 42
    /// The most blobs a pack may claim.
    static let blobLimit = 4 << 20

    static func header(folder: Folder, salt: [UInt8]) -> [UInt8] {
        var writer = ByteWriter(capacity: headerSize)
        writer.write(bytes: magic)
        writer.write(u16: version)
        writer.write(u8: folder.packCode)
        writer.write(bytes: [0, 0, 0, 0, 0])
        writer.write(bytes: salt)
        return writer.bytes
    }

    /// The salt of a pack that begins with `bytes` and lies in `folder`.
    static func salt(of bytes: [UInt8], folder: Folder) throws(FormatError) -> [UInt8] {
        var reader = ByteReader(bytes)
        guard try reader.bytes(8) == magic else { throw FormatError("not a pack") }
        let version = try reader.u16()
        guard version == PackFormat.version else {
            throw FormatError("pack of version \(version), which this Holdfast does not know")
        }
        guard try reader.u8() == folder.packCode else {
            throw FormatError("a pack of another folder")
        }
        guard try reader.bytes(5).allSatisfy({ $0 == 0 }) else {
            throw FormatError("reserved bytes of a pack are set")
        }
        return try reader.bytes(saltSize)
    }

    static func encode(index entries: [PackEntry]) -> [UInt8] {
        var writer = ByteWriter(capacity: entries.count * entrySize)
        for entry in entries {
            writer.write(u8: entry.header.kind.rawValue)
            writer.write(u8: entry.header.codec.rawValue)
            writer.write(u32: UInt32(entry.header.storedSize))
            writer.write(u32: UInt32(entry.header.plainSize))
            writer.write(digest: entry.header.id.digest)
        }
        return writer.bytes
    }

    /// Entries of an index; their offsets follow from their sizes and must end at `end`.
    static func decode(index bytes: [UInt8], end: UInt64) throws(FormatError) -> [PackEntry] {
        guard bytes.count % entrySize == 0 else { throw FormatError("index of an odd size") }
        var reader = ByteReader(bytes)
        var entries: [PackEntry] = []
        entries.reserveCapacity(bytes.count / entrySize)
        var offset = UInt64(headerSize)
        while reader.remaining > 0 {
            let header = try BlobHeader(fieldsFrom: &reader, reserved: false)
            entries.append(PackEntry(offset: offset, header: header))
            offset += UInt64(header.span)
        }
        guard offset == end else { throw FormatError("index does not end where the blobs do") }
        return entries
    }
}

/// The last 32 bytes of a pack.
struct PackFooter {
    let indexOffset: UInt64
    let indexSize: Int
    let blobCount: Int

    var encoded: [UInt8] {
        var writer = ByteWriter(capacity: PackFormat.footerSize)
        writer.write(u64: indexOffset)
        writer.write(u32: UInt32(indexSize))
        writer.write(u32: UInt32(blobCount))
        writer.write(u64: 0)
        writer.write(bytes: PackFormat.endMagic)
        return writer.bytes
    }

    init(indexOffset: UInt64, indexSize: Int, blobCount: Int) {
        self.indexOffset = indexOffset
        self.indexSize = indexSize
        self.blobCount = blobCount
    }

    /// Reads a footer and holds it against the size of the pack it ends.
    init(_ bytes: [UInt8], packSize: UInt64) throws(FormatError) {
        var reader = ByteReader(bytes)
        indexOffset = try reader.u64()
        indexSize = Int(try reader.u32())
        blobCount = Int(try reader.u32())
        guard try reader.u64() == 0, try reader.bytes(8) == PackFormat.endMagic else {
            throw FormatError("pack without its end")
        }
        let fixed = UInt64(PackFormat.footerSize)
        guard blobCount <= PackFormat.blobLimit,
            indexSize == blobCount * PackFormat.entrySize + Cipher.tagSize,
            indexOffset >= UInt64(PackFormat.headerSize), indexOffset <= packSize,
            indexOffset + UInt64(indexSize) + fixed == packSize
        else { throw FormatError("footer does not fit its pack") }
    }
}
