// A record: one step of a stream. Sealed as a blob of kind `record`, behind the blobs it counts.
//
//     version u8 (1) · kind u8 · flags u8 (1 cut, 2 compared)
//     epoch · sequence                                          (varints)
//     seen: s (zigzag) · ns · BOOTTIME ns · boot id (16 bytes)
//     not before: s (zigzag) · ns
//     database · page size · pages after                        (varints)
//     state root (32 bytes)
//     cause u8 · start epoch · start sequence                   (zero but in epoch records)
//     -- so far the header, which the chain covers --
//     previous chain hash (32) · table hash (32)
//     changed pages · hash or table blobs · map or body blobs   (varints)
//
// Chain hash: SHA-256(previous ‖ header ‖ table hash). Table hash: SHA-256 over, for each page of
// the table in ascending order, its number (4 bytes, big-endian) ‖ its hash. A page's hash is
// SHA-256(number, 4 bytes big-endian ‖ page), plain, so that a stream can be copied between
// repositories; the lock page is in no table.
//
// Invariants: sequence goes up by one from record to record; a new epoch continues sequence and
// chain from its start position. Codecs, lengths and blob ids are covered by no hash of the chain:
// each repository encodes as it likes.

package import Codec
package import Platform
package import Repository

/// One record of a stream.
package struct Record: Sendable, Hashable {
    package enum Kind: UInt8, Sendable {
        case commit = 1
        case tree = 2
        case gap = 3
        case base = 4
        case epoch = 5
    }

    /// Why a new epoch began.
    package enum Cause: UInt8, Sendable {
        case none = 0
        /// The database no longer held the last recorded state.
        case wentBack = 1
        case restored = 2
        case promoted = 3
    }

    /// When something was seen, by both clocks.
    package struct Moment: Sendable, Hashable {
        package let wall: Timestamp
        /// BOOTTIME, nanoseconds.
        package let boot: UInt64
        /// 16 bytes.
        package let bootID: [UInt8]

        package init(wall: Timestamp, boot: UInt64, bootID: [UInt8]) {
            self.wall = wall
            self.boot = boot
            self.bootID = bootID
        }

        /// Whether it came later, by the clock since boot.
        func isAfter(_ other: Moment) -> Bool { bootID == other.bootID && boot > other.boot }
    }

    package var kind: Kind
    /// Two looks at all databases around it saw no other commit.
    package var isCut = false
    /// Found by comparing pages: any number of commits may lie in it.
    package var isCompared = false
    package var position: Position
    package var seen: Moment
    /// The last look at which this state was not there.
    package var notBefore: Timestamp
    package var database: UInt64
    package var pageSize: Int
    /// Pages of the database after this record.
    package var pageCount: UInt32
    package var stateRoot: Digest
    package var cause: Cause = .none
    package var start = Position(epoch: 0, sequence: 0)
    package var previous: Digest
    package var tableHash: Digest

    /// Pages in this record's table.
    package var tableCount: UInt32 = 0
    /// Blobs of kind `pageTable`, or `pageHashes` in a base.
    package var tableBlobs = 0
    /// Blobs of kind `pageBodies`, or `pageMap` in a base.
    package var bodyBlobs = 0

    package init(
        kind: Kind, position: Position, seen: Moment, notBefore: Timestamp, database: UInt64,
        pageSize: Int, pageCount: UInt32, stateRoot: Digest, previous: Digest, tableHash: Digest
    ) {
        self.kind = kind
        self.position = position
        self.seen = seen
        self.notBefore = notBefore
        self.database = database
        self.pageSize = pageSize
        self.pageCount = pageCount
        self.stateRoot = stateRoot
        self.previous = previous
        self.tableHash = tableHash
    }
}

extension Record {
    /// The part that the chain covers by its bytes.
    var header: [UInt8] {
        var writer = ByteWriter(capacity: 160)
        writer.write(u8: 1)
        writer.write(u8: kind.rawValue)
        writer.write(u8: (isCut ? 1 : 0) | (isCompared ? 2 : 0))
        writer.write(varint: position.epoch)
        writer.write(varint: position.sequence)
        writer.write(moment: seen.wall)
        writer.write(varint: seen.boot)
        writer.write(bytes: seen.bootID)
        writer.write(moment: notBefore)
        writer.write(varint: database)
        writer.write(varint: UInt64(pageSize))
        writer.write(varint: UInt64(pageCount))
        writer.write(digest: stateRoot)
        writer.write(u8: cause.rawValue)
        writer.write(varint: start.epoch)
        writer.write(varint: start.sequence)
        return writer.bytes
    }

    /// Names this record and all before it.
    package var chain: Digest {
        var writer = ByteWriter(capacity: 256)
        writer.write(digest: previous)
        writer.write(bytes: header)
        writer.write(digest: tableHash)
        return Hasher256.digest(writer.bytes)
    }

    package var encoded: [UInt8] {
        var writer = ByteWriter(capacity: 256)
        writer.write(bytes: header)
        writer.write(digest: previous)
        writer.write(digest: tableHash)
        writer.write(varint: UInt64(tableCount))
        writer.write(varint: UInt64(tableBlobs))
        writer.write(varint: UInt64(bodyBlobs))
        return writer.bytes
    }

    private static let blobLimit: UInt64 = 4 << 20
    /// So far below the largest number that whoever continues a stream can count on.
    private static let positionLimit: UInt64 = 1 << 62

    /// - Parameter known: a boot id that the record shares where it has the same.
    package init(decoding bytes: [UInt8], sharing known: [UInt8]? = nil) throws(FormatError) {
        var reader = ByteReader(bytes)
        try self.init(header: &reader, sharing: known)
        previous = try reader.digest()
        tableHash = try reader.digest()
        let counts = (try reader.varint(), try reader.varint(), try reader.varint())
        guard counts.0 <= UInt64(UInt32.max), counts.1 <= Record.blobLimit,
            counts.2 <= Record.blobLimit
        else { throw FormatError("record counts out of range") }
        tableCount = UInt32(counts.0)
        tableBlobs = Int(counts.1)
        bodyBlobs = Int(counts.2)
        try reader.finish()
    }

    /// A record of which the header was read; its hashes are zero.
    init(header reader: inout ByteReader, sharing known: [UInt8]?) throws(FormatError) {
        guard try reader.u8() == 1 else { throw FormatError("record of an unknown version") }
        guard let kind = Kind(rawValue: try reader.u8()) else {
            throw FormatError("record of an unknown kind")
        }
        let flags = try reader.u8()
        guard flags < 4 else { throw FormatError("unknown flags of a record") }
        let position = Position(epoch: try reader.varint(), sequence: try reader.varint())
        guard position.epoch < Record.positionLimit, position.sequence < Record.positionLimit else {
            throw FormatError("position out of range")
        }
        let wall = try reader.moment()
        let boot = try reader.varint()
        let bootID = try reader.bytes(16)
        let seen = Moment(
            wall: wall, boot: boot, bootID: known == bootID ? known ?? bootID : bootID)
        let notBefore = try reader.moment()
        let database = try reader.varint()
        let pageSize = try reader.varint()
        let pageCount = try reader.varint()
        guard PageGeometry.isValid(pageSize: pageSize), let count = UInt32(exactly: pageCount),
            count <= PageGeometry.pageLimit
        else {
            throw FormatError("page size or count out of range")
        }
        let root = try reader.digest()
        guard let cause = Cause(rawValue: try reader.u8()) else {
            throw FormatError("epoch of an unknown cause")
        }
        let start = Position(epoch: try reader.varint(), sequence: try reader.varint())
        self.init(
            kind: kind, position: position, seen: seen, notBefore: notBefore, database: database,
            pageSize: Int(pageSize), pageCount: count, stateRoot: root, previous: .zero,
            tableHash: .zero)
        isCut = flags & 1 != 0
        isCompared = flags & 2 != 0
        self.cause = cause
        self.start = start
    }
}

extension ByteWriter {
    mutating func write(moment: Timestamp) {
        write(signedVarint: moment.seconds)
        write(varint: UInt64(moment.nanoseconds))
    }
}

extension ByteReader {
    mutating func moment() throws(FormatError) -> Timestamp {
        let seconds = try signedVarint()
        guard let nanoseconds = UInt32(exactly: try varint()), nanoseconds < 1_000_000_000 else {
            throw FormatError("nanoseconds out of range")
        }
        return Timestamp(seconds: seconds, nanoseconds: nanoseconds)
    }
}
