// The journal: the local, fsynced tail of one stream, a directory of numbered parts and a file
// `lock`. A part is a file `part-<number, 20 digits>`, written once from its beginning to its end:
//
//     head:   8   "HoldJrnl"
//             2   version (1)
//             2   1: begins with a batch; else 0
//             4   size of the head
//             8   number of the part
//             32  link: hash of the batch that comes before this part; zero before the first
//             8 8 epoch and sequence of the record that comes before this part
//             32  that record's chain hash; all three zero where there is none
//             …   stream identity (counted)
//             32  SHA-256 of all that
//     then batches, one an append:
//             4   BA 48 4A 31
//             4   number of change sets
//             8   offset of this batch in the part
//             8   bytes of the change sets
//             32  hash of the batch before in this part; of its first one the head's
//             32  SHA-256 of the batch, with the head's hash in the place of this one
//             …   change sets, one after another
//     then nothing, or zeros that were reserved, or what is left of an append that failed.
//
// Numbers are little-endian.
//
// Invariants
// - Parts follow one another by number and by link. A part ends behind the batch that the next
//   one's link names; what may follow there was never acknowledged. The last part ends where a
//   batch is not whole.
// - A batch is written once the one before it is synced; a part's first one once head and name are
//   durable. So whatever precedes a whole batch must be whole itself: what is not is damage.
// - A part that begins with a batch is void until that batch is whole; so is one whose head is not,
//   and has nothing but zeros behind it.
// - Some whole part stays in the directory for ever once there was one: it says where the journal
//   ends. Parts are removed oldest first, each removal durable before the next.
// - After a failed write or sync nothing more is written to that part.
// - A hurt part, and those behind it, may be set aside as `hurt-<number>`, which nobody reads: its
//   whole batches are written to a new part first, then the newest is renamed first, each rename
//   durable before the next. What is cut off there is found as damage once more, and done anew.
//
// Crash model: of what was not synced each write may be there, be gone, be torn or read as zeros,
// and each name may be there or not. And a process may find in the kernel's cache what a failed
// sync never brought to the disk: so who opens a journal writes the last batch of its last part,
// which no later one vouches for, once more to a new part before it counts. Rot of exactly that
// batch looks like a torn append and cannot be told from one.

package import Codec
import Platform
package import Repository

/// Names of the files of a journal.
enum JournalName {
    static let lock = "lock"
    private static let prefix = "part-"
    private static let hurtPrefix = "hurt-"
    private static let digits = 20

    static func part(_ number: UInt64) -> String { prefix + text(number) }

    /// The name of a part that was set aside.
    static func hurt(_ number: UInt64) -> String { hurtPrefix + text(number) }

    private static func text(_ number: UInt64) -> String {
        let text = String(number)
        return String(repeating: "0", count: digits - text.utf8.count) + text
    }

    /// Nil for a name that is none of a part.
    static func number(of name: String) -> UInt64? {
        guard name.hasPrefix(prefix), let number = UInt64(name.dropFirst(prefix.utf8.count)),
            part(number) == name
        else { return nil }
        return number
    }

    /// The same, also of a part that was set aside: its number is not used again.
    static func anyNumber(of name: String) -> UInt64? {
        guard name.hasPrefix(hurtPrefix) else { return number(of: name) }
        return number(of: prefix + name.dropFirst(hurtPrefix.utf8.count))
    }
}

/// A record as the next one refers to it.
package struct JournalEnd: Sendable, Hashable {
    package let position: Position
    package let chain: Digest

    package init(position: Position, chain: Digest) {
        self.position = position
        self.chain = chain
    }

    package init(of record: Record) {
        self.init(position: record.position, chain: record.chain)
    }
}

/// How a part begins.
struct PartHead: Sendable {
    private static let magic = Array("HoldJrnl".utf8)
    /// Bytes before the identity.
    static let fixedSize = 104
    /// A head that claims more is damage.
    static let sizeLimit = 1 << 17

    let number: UInt64
    let beginsWithBatch: Bool
    let link: Digest
    let end: JournalEnd?
    let identity: StreamIdentity

    /// The whole head, its hash last.
    var encoded: [UInt8] {
        let identity = identity.encoded
        let size = PartHead.size(identityBytes: identity.count)
        var writer = ByteWriter(capacity: size)
        writer.write(bytes: PartHead.magic)
        writer.write(u16: 1)
        writer.write(u16: beginsWithBatch ? 1 : 0)
        writer.write(u32: UInt32(size))
        writer.write(u64: number)
        writer.write(digest: link)
        writer.write(u64: end?.position.epoch ?? 0)
        writer.write(u64: end?.position.sequence ?? 0)
        writer.write(digest: end?.chain ?? .zero)
        writer.write(counted: identity)
        writer.write(digest: Hasher256.digest(writer.bytes))
        return writer.bytes
    }

    private static func size(identityBytes count: Int) -> Int {
        fixedSize + (count < 128 ? 1 : count < 1 << 14 ? 2 : 3) + count + Digest.size
    }

    /// Bytes of the head of a part of this stream.
    static func size(of identity: StreamIdentity) -> Int {
        size(identityBytes: identity.encoded.count)
    }

    /// Bytes of the head that begins with these ``fixedSize`` bytes; throws where none does.
    static func size(of start: [UInt8]) throws(FormatError) -> Int {
        var reader = ByteReader(start)
        guard try reader.bytes(magic.count) == magic else { throw FormatError("no part of it") }
        guard try reader.u16() == 1 else { throw FormatError("part of an unknown version") }
        _ = try reader.u16()
        let size = Int(try reader.u32())
        guard (fixedSize + Digest.size...sizeLimit).contains(size) else {
            throw FormatError("head of a part out of range")
        }
        return size
    }

    init(
        number: UInt64, beginsWithBatch: Bool, link: Digest, end: JournalEnd?,
        identity: StreamIdentity
    ) {
        self.number = number
        self.beginsWithBatch = beginsWithBatch
        self.link = link
        self.end = end
        self.identity = identity
    }

    init(decoding bytes: [UInt8]) throws(FormatError) {
        guard try PartHead.size(of: bytes) == bytes.count else {
            throw FormatError("head of a part of another size")
        }
        let content = Array(bytes.dropLast(Digest.size))
        guard Hasher256.digest(content).bytes == Array(bytes.suffix(Digest.size)) else {
            throw FormatError("head of a part is not what its hash says")
        }
        var reader = ByteReader(content)
        _ = try reader.bytes(PartHead.magic.count + 2)
        let flags = try reader.u16()
        guard flags < 2 else { throw FormatError("unknown flags of a part") }
        beginsWithBatch = flags == 1
        _ = try reader.u32()
        number = try reader.u64()
        link = try reader.digest()
        let position = Position(epoch: try reader.u64(), sequence: try reader.u64())
        let chain = try reader.digest()
        end = chain == .zero ? nil : JournalEnd(position: position, chain: chain)
        identity = try StreamIdentity(decoding: try reader.counted(limit: PartHead.sizeLimit))
        try reader.finish()
    }
}

/// The change sets of one append, encoded.
struct Batch: Sendable {
    static let magic: [UInt8] = [0xBA, 0x48, 0x4A, 0x31]
    static let headSize = 88
    /// Bytes of the largest batch; what claims more is none.
    static let sizeLimit = 1 << 30
    private static let hashRange = 56..<88

    /// Head and change sets.
    private(set) var bytes: [UInt8]

    init(_ changes: [ChangeSet]) {
        var writer = ByteWriter(
            capacity: Batch.headSize + changes.reduce(0) { $0 + $1.sizeBound })
        writer.write(bytes: Batch.magic)
        writer.write(u32: UInt32(changes.count))
        writer.write(u64: 0)
        writer.write(u64: 0)
        writer.write(digest: .zero)
        writer.write(digest: .zero)
        for change in changes { change.encode(into: &writer) }
        bytes = writer.bytes
    }

    /// Gives the batch its place; answers its hash.
    mutating func seal(at offset: UInt64, after previous: Digest, in head: Digest) -> Digest {
        let size = UInt64(bytes.count - Batch.headSize)
        return bytes.withUnsafeMutableBytes { bytes in
            bytes.storeBytes(of: offset.littleEndian, toByteOffset: 8, as: UInt64.self)
            bytes.storeBytes(of: size.littleEndian, toByteOffset: 16, as: UInt64.self)
            previous.write(into: UnsafeMutableRawBufferPointer(rebasing: bytes[24..<56]))
            return Batch.hash(bytes, in: head)
        }
    }

    /// Puts the hash in its place and answers it.
    private static func hash(_ bytes: UnsafeMutableRawBufferPointer, in head: Digest) -> Digest {
        let slot = UnsafeMutableRawBufferPointer(rebasing: bytes[hashRange])
        head.write(into: slot)
        let hash = SHA256.digest(of: UnsafeRawBufferPointer(bytes))
        hash.write(into: slot)
        return hash
    }

    /// The bytes a batch at `offset` has, as its head says; nil where no batch of this part can
    /// begin with these ``headSize`` bytes.
    static func size(of head: [UInt8], at offset: UInt64, room: UInt64) -> Int? {
        guard head.starts(with: magic) else { return nil }
        let (place, payload) = head.withUnsafeBytes {
            (
                UInt64(littleEndian: $0.loadUnaligned(fromByteOffset: 8, as: UInt64.self)),
                UInt64(littleEndian: $0.loadUnaligned(fromByteOffset: 16, as: UInt64.self))
            )
        }
        guard place == offset, room >= UInt64(headSize), payload <= room - UInt64(headSize),
            payload <= UInt64(sizeLimit - headSize)
        else { return nil }
        return headSize + Int(payload)
    }

    /// A batch that was read; nil where it is not whole.
    init?(whole read: [UInt8], in head: Digest) {
        var bytes = read
        let claimed = read.withUnsafeBytes {
            Digest(bytes: UnsafeRawBufferPointer(rebasing: $0[Batch.hashRange]))
        }
        guard bytes.withUnsafeMutableBytes({ Batch.hash($0, in: head) }) == claimed else {
            return nil
        }
        self.bytes = bytes
    }

    var previous: Digest { digest(24..<56) }
    var hash: Digest { digest(Batch.hashRange) }

    private func digest(_ range: Range<Int>) -> Digest {
        bytes.withUnsafeBytes { Digest(bytes: UnsafeRawBufferPointer(rebasing: $0[range])) }
    }

    /// Calls with each change set, in order.
    func forEach(_ body: (ChangeSet) throws -> Void) throws {
        var reader = ByteReader(bytes[...])
        _ = try reader.bytes(Batch.magic.count)
        let count = try reader.u32()
        _ = try reader.bytes(Batch.headSize - 8)
        for _ in 0..<count { try body(try ChangeSet(from: &reader)) }
        try reader.finish()
    }
}
