// A node's bytes, inside a run (see Tree.swift):
//
//     counted name · kind u8 · content tag u8 · flags u8 (1 settled, 2 sparse, 4 incomplete)
//     permissions · user · group · counted user name · counted group name   (varints)
//     modified s (zigzag) · ns · changed s (zigzag) · ns · size · device · inode · links
//     number of attributes · (counted name · counted value)…
//     content: by its tag

import Codec
package import Platform

/// Bounds on what a node may claim; larger claims are damage.
private enum NodeLimit {
    static let name = 4096
    static let attributes = 4096
    static let attributeValue = 1 << 20
    static let text = 4096
    static let target = 1 << 16
    static let pieces = 1 << 26
    static let fingerprint = 512
}

// A run of a directory is one blob: what it may hold beside one node is less than 1 MiB, and no
// node may be so large that its run is no blob any more.
extension Node {
    private static let attributeBytes = 1 << 20
    private static let extentBytes = 12 << 20

    /// Whether a node can have these attributes.
    package static func canHold(_ attributes: [ExtendedAttribute]) -> Bool {
        attributes.count <= NodeLimit.attributes
            && attributes.reduce(0) { $0 + $1.name.count + $1.value.count + 6 } <= attributeBytes
    }

    /// The most extents that a node can have, each taking as many bytes as it can at most, 9 a
    /// number; of pieces it holds less than 1 MiB.
    package static let mostExtents = extentBytes / 18
}

extension Node.Content {
    private enum Tag: UInt8 {
        case nothing, file, directory, link, device, database, unreadable, listedFile
    }

    fileprivate var tag: UInt8 {
        switch self {
        case .nothing: Tag.nothing.rawValue
        case .file(let pieces, _): (pieces.level == 0 ? Tag.file : Tag.listedFile).rawValue
        case .directory: Tag.directory.rawValue
        case .link: Tag.link.rawValue
        case .device: Tag.device.rawValue
        case .database: Tag.database.rawValue
        case .unreadable: Tag.unreadable.rawValue
        }
    }

    fileprivate var flags: UInt8 {
        switch self {
        case .file(_, let extents): extents == nil ? 0 : 2
        case .directory(_, let complete): complete ? 0 : 4
        default: 0
        }
    }

    fileprivate func encode(into writer: inout ByteWriter) {
        switch self {
        case .nothing: break
        case .file(let pieces, let extents):
            if pieces.level > 0 { writer.write(u8: UInt8(pieces.level)) }
            pieces.encode(into: &writer)
            guard let extents else { return }
            writer.write(varint: UInt64(extents.count))
            for extent in extents {
                writer.write(varint: extent.offset)
                writer.write(varint: extent.length)
            }
        case .directory(let runs, _): writer.write(references: runs)
        case .link(let target): writer.write(counted: target)
        case .device(let number): writer.write(varint: number)
        case .database(let reference): reference.encode(into: &writer)
        case .unreadable(let reason): writer.write(counted: Array(reason.utf8))
        }
    }

    fileprivate init(
        tag: UInt8, flags: UInt8, from reader: inout ByteReader
    ) throws(FormatError) {
        guard let tag = Tag(rawValue: tag) else { throw FormatError("unknown content of a node") }
        switch tag {
        case .nothing: self = .nothing
        case .file:
            let pieces = PieceList(pieces: try reader.references(limit: NodeLimit.pieces))
            self = .file(pieces: pieces, extents: flags & 2 == 0 ? nil : try reader.extents())
        case .listedFile:
            let level = Int(try reader.u8())
            guard (1...PieceList.deepest).contains(level) else {
                throw FormatError("lists of pieces too deep, or none")
            }
            let pieces = try PieceList(level: level, limit: NodeLimit.pieces, from: &reader)
            self = .file(pieces: pieces, extents: flags & 2 == 0 ? nil : try reader.extents())
        case .directory:
            let runs = try reader.references(limit: NodeLimit.pieces)
            self = .directory(runs: runs, complete: flags & 4 == 0)
        case .link: self = .link(target: try reader.counted(limit: NodeLimit.target))
        case .device: self = .device(try reader.varint())
        case .database: self = .database(try DatabaseReference(from: &reader))
        case .unreadable: self = .unreadable(reason: try reader.text(limit: NodeLimit.text))
        }
    }
}

extension Node {
    func encode(into writer: inout ByteWriter) {
        writer.write(counted: name)
        writer.write(u8: kind.rawValue)
        writer.write(u8: content.tag)
        writer.write(u8: (settled ? 1 : 0) | content.flags)
        writer.write(varint: UInt64(permissions))
        writer.write(varint: UInt64(userID))
        writer.write(varint: UInt64(groupID))
        writer.write(counted: Array(userName.utf8))
        writer.write(counted: Array(groupName.utf8))
        writer.write(timestamp: modified)
        writer.write(timestamp: changed)
        for number in [size, device, inode, links] { writer.write(varint: number) }
        writer.write(varint: UInt64(attributes.count))
        for attribute in attributes {
            writer.write(counted: attribute.name)
            writer.write(counted: attribute.value)
        }
        content.encode(into: &writer)
    }

    init(from reader: inout ByteReader) throws(FormatError) {
        name = try reader.counted(limit: NodeLimit.name)
        guard Node.isValid(name: name) else {
            throw FormatError("a name that is no path component")
        }
        guard let kind = FileKind(rawValue: try reader.u8()) else {
            throw FormatError("unknown kind of file")
        }
        self.kind = kind
        let tag = try reader.u8()
        let flags = try reader.u8()
        guard flags < 8 else { throw FormatError("unknown flags of a node") }
        settled = flags & 1 != 0
        permissions = UInt32(truncatingIfNeeded: try reader.varint()) & 0o7777
        userID = try reader.u32Varint()
        groupID = try reader.u32Varint()
        userName = try reader.text(limit: NodeLimit.text)
        groupName = try reader.text(limit: NodeLimit.text)
        modified = try reader.timestamp()
        changed = try reader.timestamp()
        size = try reader.varint()
        device = try reader.varint()
        inode = try reader.varint()
        links = try reader.varint()
        let count = try reader.count(limit: NodeLimit.attributes, elementSize: 2)
        attributes = []
        attributes.reserveCapacity(count)
        for _ in 0..<count {
            attributes.append(
                ExtendedAttribute(
                    name: try reader.counted(limit: NodeLimit.name),
                    value: try reader.counted(limit: NodeLimit.attributeValue)))
        }
        content = try Content(tag: tag, flags: flags, from: &reader)
        try checkKind()
    }

    /// Holds content against kind, so that no reader meets a link with pieces.
    private func checkKind() throws(FormatError) {
        let fits =
            switch content {
            case .nothing: kind == .fifo || kind == .socket
            case .file, .database: kind == .regular
            case .directory: kind == .directory
            case .link: kind == .symbolicLink
            case .device: kind == .characterDevice || kind == .blockDevice
            case .unreadable: true
            }
        guard fits else { throw FormatError("content of a node does not fit its kind") }
        guard case .file(let pieces, let extents) = content else { return }
        guard let stored = pieces.bytes else { throw FormatError("pieces beyond any size") }
        guard let extents else {
            guard stored == size else { throw FormatError("pieces do not make up the file's size") }
            return
        }
        var end: UInt64 = 0
        var covered: UInt64 = 0
        for extent in extents {
            let (next, overflow) = extent.offset.addingReportingOverflow(extent.length)
            guard !overflow, extent.offset >= end, next <= size else {
                throw FormatError("extents of a sparse file out of order")
            }
            end = next
            covered += extent.length
        }
        guard covered == stored else { throw FormatError("pieces do not fill the extents") }
    }

    /// Whether bytes can be one component of a path.
    package static func isValid(name: [UInt8]) -> Bool {
        !name.isEmpty && name != [0x2E] && name != [0x2E, 0x2E]
            && !name.contains(0) && !name.contains(UInt8(ascii: "/"))
    }
}

extension DatabaseReference {
    func encode(into writer: inout ByteWriter) {
        writer.write(bytes: stream)
        writer.write(varint: position.epoch)
        writer.write(varint: position.sequence)
        writer.write(digest: chain)
        writer.write(counted: fingerprint)
    }

    init(from reader: inout ByteReader) throws(FormatError) {
        stream = try reader.bytes(16)
        position = Position(epoch: try reader.varint(), sequence: try reader.varint())
        chain = try reader.digest()
        fingerprint = try reader.counted(limit: NodeLimit.fingerprint)
    }
}

extension ByteWriter {
    mutating func write(references: [BlobReference]) {
        write(varint: UInt64(references.count))
        for reference in references {
            write(varint: UInt64(reference.size))
            write(digest: reference.id.digest)
        }
    }

    mutating func write(timestamp: Timestamp) {
        write(signedVarint: timestamp.seconds)
        write(varint: UInt64(timestamp.nanoseconds))
    }
}

extension ByteReader {
    mutating func references(limit: Int) throws(FormatError) -> [BlobReference] {
        let count = try count(limit: limit, elementSize: 33)
        var references: [BlobReference] = []
        references.reserveCapacity(count)
        for _ in 0..<count {
            let size = try varint()
            guard size <= UInt64(BlobHeader.plainLimit) else {
                throw FormatError("a piece larger than a blob can be")
            }
            references.append(BlobReference(id: BlobID(try digest()), size: Int(size)))
        }
        return references
    }

    fileprivate mutating func extents() throws(FormatError) -> [Extent] {
        let count = try count(limit: NodeLimit.pieces, elementSize: 2)
        var extents: [Extent] = []
        extents.reserveCapacity(count)
        for _ in 0..<count {
            extents.append(Extent(offset: try varint(), length: try varint()))
        }
        return extents
    }

    mutating func timestamp() throws(FormatError) -> Timestamp {
        let seconds = try signedVarint()
        let nanoseconds = try varint()
        guard nanoseconds < 1_000_000_000 else { throw FormatError("nanoseconds out of range") }
        return Timestamp(seconds: seconds, nanoseconds: UInt32(nanoseconds))
    }

    fileprivate mutating func u32Varint() throws(FormatError) -> UInt32 {
        guard let value = UInt32(exactly: try varint()) else {
            throw FormatError("id out of range")
        }
        return value
    }

    mutating func text(limit: Int) throws(FormatError) -> String {
        let bytes = try counted(limit: limit)
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw FormatError("text that is not UTF-8")
        }
        return text
    }
}
