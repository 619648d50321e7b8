import Codec
import SQLite

/// A blob as something kept needs it: content that is stored as two kinds is two blobs.
package struct NeededBlob: Sendable, Hashable {
    package let id: BlobID
    package let kind: BlobKind

    package init(_ id: BlobID, _ kind: BlobKind) {
        self.id = id
        self.kind = kind
    }
}

/// The blobs that something kept needs: a temporary table beside the catalogue, so that memory
/// stays bounded; there is one at a time.
package struct NeededBlobs {
    private let catalogue: Catalogue

    /// Begins with none.
    package init(in catalogue: Catalogue) throws {
        self.catalogue = catalogue
        try catalogue.withConnection { connection in
            try connection.execute(
                """
                CREATE TEMP TABLE IF NOT EXISTS needed (
                    id BLOB NOT NULL, kind INTEGER NOT NULL, PRIMARY KEY (id, kind)) WITHOUT ROWID;
                DELETE FROM needed;
                """)
        }
    }

    /// Adds blobs; answers those of them that were not there.
    package func add(_ blobs: [NeededBlob]) throws -> [NeededBlob] {
        guard !blobs.isEmpty else { return [] }
        return try catalogue.withConnection { connection in
            let insert = try connection.prepare("INSERT OR IGNORE INTO temp.needed VALUES (?, ?)")
            var added: [NeededBlob] = []
            try connection.execute("SAVEPOINT needed")
            for blob in blobs {
                insert.bind(blob.id.digest, at: 1)
                insert.bind(Int64(blob.kind.rawValue), at: 2)
                _ = try insert.step()
                if connection.changes > 0 { added.append(blob) }
                insert.reset()
            }
            try connection.execute("RELEASE needed")
            return added
        }
    }

    /// How many of them no pack holds.
    package func missing() throws -> UInt64 {
        try catalogue.withConnection { connection in
            let count = try connection.prepare(
                "SELECT count(*) FROM temp.needed n WHERE NOT EXISTS"
                    + " (SELECT 1 FROM blobs b WHERE b.id = n.id AND b.kind = n.kind)")
            return try count.step() ? UInt64(clamping: count.integer(at: 0)) : 0
        }
    }

    /// Visits all places of each needed blob that some pack holds; `body` must not use the
    /// catalogue.
    func forEach(_ body: ([BlobLocation]) throws -> Void) throws {
        try catalogue.withConnection { connection in
            let select = try connection.prepare(
                "SELECT b.id, b.kind, b.pack, b.offset, b.codec, b.stored, b.plain"
                    + " FROM temp.needed n JOIN blobs b ON b.id = n.id AND b.kind = n.kind"
                    + " ORDER BY n.id, n.kind")
            var places: [BlobLocation] = []
            while try select.step() {
                guard let location = NeededBlobs.location(select) else { continue }
                if let last = places.last?.entry.header,
                    last.id != location.entry.header.id || last.kind != location.entry.header.kind
                {
                    try body(places)
                    places.removeAll(keepingCapacity: true)
                }
                places.append(location)
            }
            if !places.isEmpty { try body(places) }
        }
    }

    private static func location(_ row: Statement) -> BlobLocation? {
        guard let id = row.digest(at: 0), let kind = BlobKind(rawValue: UInt8(row.integer(at: 1))),
            let codec = BlobCodec(rawValue: UInt8(clamping: row.integer(at: 4)))
        else { return nil }
        let header = BlobHeader(
            kind: kind, codec: codec, storedSize: Int(row.integer(at: 5)),
            plainSize: Int(row.integer(at: 6)), id: BlobID(id))
        return BlobLocation(
            pack: row.integer(at: 2),
            entry: PackEntry(offset: UInt64(row.integer(at: 3)), header: header))
    }
}
