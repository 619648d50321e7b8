package import Codec
import SQLite

// An unchanged file is not read again where the parent snapshot is known to be whole. A look for
// each of its pieces would cost as much as the walk; so the catalogue remembers, in its table
// `about`, which snapshots were whole when they were made, and forgets all of it as soon as a pack
// is missed. A catalogue that is new knows nothing, and each piece is looked for once.

extension Catalogue {
    /// Whether all blobs of a snapshot were stored when it was made, and no pack was missed since.
    package func knowsWhole(_ snapshot: Digest) throws -> Bool {
        try withConnection { connection in
            let select = try connection.prepare("SELECT 1 FROM about WHERE name = ?")
            select.bind("whole \(snapshot.hex)", at: 1)
            return try select.step()
        }
    }

    /// Notes that a new snapshot is whole; the one it was compared with need not be known any more.
    package func note(whole snapshot: Digest, instead parent: Digest?) throws {
        try withConnection { connection in
            try connection.transaction {
                let insert = try connection.prepare("INSERT OR REPLACE INTO about VALUES (?, '')")
                insert.bind("whole \(snapshot.hex)", at: 1)
                _ = try insert.step()
                guard let parent else { return }
                let delete = try connection.prepare("DELETE FROM about WHERE name = ?")
                delete.bind("whole \(parent.hex)", at: 1)
                _ = try delete.step()
            }
        }
    }
}
