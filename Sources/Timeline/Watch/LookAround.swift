// Who restores several databases wants a moment at which none of them was between two commits that
// belong together. A commit's *cut* flag marks one: two looks at all wal-indexes, one before the
// commit was made and one after it was seen, found no commit of another database in between.
//
// The first look reads the heads of all logs, and then which databases have nothing that is not
// captured: what such a one commits later, it commits after all those heads were read.

/// What a look at all databases of a watch saw; used by the capture thread alone.
final class LookAround {
    private var heads: [(database: WatchedDatabase, head: WALIndexHead)] = []
    private var resting: Set<ObjectIdentifier> = []

    /// The first look. Where one of the databases is not followed nothing is known of the others.
    func look(at databases: [WatchedDatabase]) {
        heads = []
        resting = []
        guard databases.count > 1 else { return }
        let found = databases.compactMap { database in
            database.logHead.map { (database: database, head: $0) }
        }
        guard found.count == databases.count else { return }
        heads = found
        resting = Set(databases.filter(\.isCaughtUp).map(ObjectIdentifier.init))
    }

    /// The second look: whether no other database changed since before this one did.
    func isStill(but database: WatchedDatabase) -> Bool {
        resting.contains(ObjectIdentifier(database))
            && heads.allSatisfy { $0.database === database || $0.database.logHead == $0.head }
    }
}
