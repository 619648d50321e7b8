package import Codec
package import Platform

/// A run of bytes of a sparse file that is no hole.
package struct Extent: Hashable, Sendable {
    package let offset: UInt64
    package let length: UInt64

    package init(offset: UInt64, length: UInt64) {
        self.offset = offset
        self.length = length
    }
}

/// A state of a database in its stream.
package struct DatabaseReference: Hashable, Sendable {
    /// The stream's id, 16 bytes.
    package let stream: [UInt8]
    package let position: Position
    /// The chain hash at the position; it names the whole history before it.
    package let chain: Digest
    /// Tells cheaply whether the file changed since; opaque here.
    package let fingerprint: [UInt8]

    package init(stream: [UInt8], position: Position, chain: Digest, fingerprint: [UInt8]) {
        self.stream = stream
        self.position = position
        self.chain = chain
        self.fingerprint = fingerprint
    }
}

/// A place in a stream: the reign, and the record's number, which goes on through all reigns.
package struct Position: Hashable, Comparable, Sendable, CustomStringConvertible {
    package let epoch: UInt64
    package let sequence: UInt64

    package init(epoch: UInt64, sequence: UInt64) {
        self.epoch = epoch
        self.sequence = sequence
    }

    package var description: String { "\(epoch)/\(sequence)" }

    package static func < (left: Position, right: Position) -> Bool {
        (left.epoch, left.sequence) < (right.epoch, right.sequence)
    }
}

/// One entry of a directory as a snapshot keeps it.
package struct Node: Sendable, Hashable {
    /// What an entry holds beside its metadata.
    package enum Content: Sendable, Hashable {
        /// Fifos and sockets.
        case nothing
        /// Pieces of a file, in order; `extents` says where they lie when the file has holes.
        case file(pieces: PieceList, extents: [Extent]?)
        /// Runs of a directory's entries; not complete where some could not be listed.
        case directory(runs: [BlobReference], complete: Bool)
        case link(target: [UInt8])
        case device(UInt64)
        case database(DatabaseReference)
        /// The entry was there and could not be read.
        case unreadable(reason: String)
    }

    /// One path component: not empty, not `.` or `..`, without `/` and NUL.
    package var name: [UInt8]
    package var kind: FileKind
    /// The lower twelve bits of the mode.
    package var permissions: UInt32
    package var userID: UInt32
    package var groupID: UInt32
    /// Names of owner and group, empty where the system had none.
    package var userName: String
    package var groupName: String
    package var modified: Timestamp
    package var changed: Timestamp
    /// Bytes, holes included.
    package var size: UInt64
    package var device: UInt64
    package var inode: UInt64
    package var links: UInt64
    /// Whether the times lay far enough before the reading to prove by them that nothing changed.
    package var settled: Bool
    package var attributes: [ExtendedAttribute]
    package var content: Content

    package init(name: [UInt8], status: FileStatus, settled: Bool, content: Content) {
        self.name = name
        kind = status.kind
        permissions = status.permissions
        userID = status.userID
        groupID = status.groupID
        userName = ""
        groupName = ""
        modified = status.modified
        changed = status.changed
        size = status.size
        device = status.device
        inode = status.inode
        links = status.links
        self.settled = settled
        attributes = []
        self.content = content
    }

    /// A database of which no snapshot knows more than its states; its owner alone may read it.
    package init(database name: [UInt8], userID: UInt32, groupID: UInt32, modified: Timestamp) {
        self.name = name
        kind = .regular
        permissions = 0o600
        self.userID = userID
        self.groupID = groupID
        userName = ""
        groupName = ""
        self.modified = modified
        changed = modified
        size = 0
        device = 0
        inode = 0
        links = 1
        settled = false
        attributes = []
        content = .nothing
    }
}

extension Node {
    /// Whether the list of the file's pieces lies in blobs of its own.
    var isListed: Bool {
        if case .file(let pieces, _) = content { return pieces.level > 0 }
        return false
    }

    /// The runs of a directory; empty for anything else.
    package var runs: [BlobReference] {
        if case .directory(let runs, _) = content { return runs }
        return []
    }
}
