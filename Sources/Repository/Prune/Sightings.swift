import SQLite

// A backup publishes packs long before the snapshot that needs them. To mark such a pack harms
// nothing, but what is needed of it must be copied afterwards. So the catalogue remembers which
// writers were at work when a pack was first listed here: it is fresh until each of them has ended
// or declared itself anew. Losing this costs time, nothing else.

extension Catalogue {
    /// Notes the packs that were never listed by a prune before, and answers which are fresh.
    ///
    /// - Parameter writers: those at work now, listed after the packs.
    func fresh(among packs: Set<String>, writers: Set<String>) throws -> Set<String> {
        try withConnection { connection in
            try connection.execute(
                "CREATE TABLE IF NOT EXISTS sightings"
                    + " (pack TEXT PRIMARY KEY, writers TEXT NOT NULL) WITHOUT ROWID")
            return try connection.transaction {
                let known = try sightings(connection)
                try drop(known.keys.filter { !packs.contains($0) }, connection)
                let names = writers.sorted().joined(separator: " ")
                let insert = try connection.prepare("INSERT INTO sightings VALUES (?, ?)")
                for pack in packs where known[pack] == nil {
                    insert.bind(pack, at: 1)
                    insert.bind(names, at: 2)
                    _ = try insert.step()
                    insert.reset()
                }
                return packs.filter { pack in
                    guard let then = known[pack] else { return !writers.isEmpty }
                    return then.split(separator: " ").contains { writers.contains(String($0)) }
                }
            }
        }
    }

    private func sightings(_ connection: Connection) throws -> [String: String] {
        let select = try connection.prepare("SELECT pack, writers FROM sightings")
        var known: [String: String] = [:]
        while try select.step() { known[select.text(at: 0)] = select.text(at: 1) }
        return known
    }

    private func drop(_ packs: [String], _ connection: Connection) throws {
        let delete = try connection.prepare("DELETE FROM sightings WHERE pack = ?")
        for pack in packs {
            delete.bind(pack, at: 1)
            _ = try delete.step()
            delete.reset()
        }
    }
}
