package import Codec

/// The name of a blob: HMAC-SHA-256 of its plain bytes under the repository's id key.
///
/// Equal content has equal ids within one repository, and nothing about the content can be told
/// from an id without the key.
package struct BlobID: Hashable, Comparable, Sendable, CustomStringConvertible {
    package let digest: Digest

    package init(_ digest: Digest) {
        self.digest = digest
    }

    package var description: String { digest.hex }

    package static func < (left: BlobID, right: BlobID) -> Bool {
        left.digest < right.digest
    }
}

/// A piece of content as a tree names it: which blob, and how many plain bytes it has.
package struct BlobReference: Hashable, Sendable {
    package let id: BlobID
    /// Plain bytes, at most ``BlobHeader/plainLimit``.
    package let size: Int

    package init(id: BlobID, size: Int) {
        self.id = id
        self.size = size
    }
}

/// What a blob holds.
package enum BlobKind: UInt8, Sendable, CaseIterable {
    /// A piece of a file.
    case data = 1
    /// A run of a directory's entries.
    case tree = 2
    /// Adjacent pages of a database.
    case pageGroup = 3
    /// A snapshot.
    case snapshot = 4
    /// To what a stream belongs; the first blob of each segment.
    case streamIdentity = 5
    /// A record of a stream.
    case record = 6
    /// Page numbers, hashes, codecs and lengths of a change set.
    case pageTable = 7
    /// Encoded pages of a change set.
    case pageBodies = 8
    /// Page hashes of a base.
    case pageHashes = 9
    /// Which page group of a base is which blob.
    case pageMap = 10
    /// Which pieces a part of a very long file has.
    case pieceList = 11
    /// Headers and table hashes of records whose states were forgotten.
    case forgottenRecords = 12
    /// A record whose change set holds what the forgotten ones before it changed, too.
    case mergedRecord = 13

    /// Whether it says where content lies rather than being content; these have packs of their own.
    var isListing: Bool { self == .tree || self == .pieceList }
}
