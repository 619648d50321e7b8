// The catalogue: a SQLite file in the cache directory that says where each blob lies, so that
// nobody keeps an index in memory. It is never the truth: every row can be made again from the
// packs, and each opening of the repository drops what the listing of packs contradicts.

import Codec
package import Platform
import SQLite
import Synchronization

/// Where a blob lies.
package struct BlobLocation: Sendable, Hashable {
    /// The pack's number in this catalogue.
    package let pack: Int64
    package let entry: PackEntry
}

/// A pack as the catalogue knows it.
package struct CataloguedPack: Sendable {
    package let number: Int64
    package let name: String
    package let size: UInt64
}

/// The catalogue was damaged, and is empty now: refreshing fills it again.
package struct CatalogueLost: Error, CustomStringConvertible {
    let path: FilePath

    package var description: String {
        "the catalogue \(path) was damaged and is being made anew: run the command again"
    }
}

/// The local index of one repository's blobs, packs and segments.
package final class Catalogue: Sendable {
    private struct Contents {
        let connection: Connection
        let locate: Statement
        let addPack: Statement
        let addBlob: Statement
        /// Lookups since a read transaction began; 0 where none is open.
        var lookups = 0
    }

    private static let version: Int64 = 4
    /// Lookups that share a read transaction: it holds back checkpoints of other processes.
    private static let lookupLimit = 1024
    private let contents: Mutex<Contents>
    private let path: FilePath
    private let repository: String
    private let patience: Int

    /// Opens the catalogue of `repository` at `path`; one that is damaged, or belongs to another
    /// repository or version, is made anew.
    ///
    /// - Parameter patience: milliseconds to wait for another process that is writing it.
    /// - Throws: `locked` where that one does not end: it may have been stopped half-way.
    package init(at path: FilePath, repository: String, patience: Int = 60_000) throws {
        self.path = path
        self.repository = repository
        self.patience = patience
        do {
            contents = Mutex(try Catalogue.open(path, repository, patience))
        } catch let error as SQLiteError where error.isNotADatabase || error.isCorrupt {
            try Catalogue.discard(path)
            contents = Mutex(try Catalogue.open(path, repository, patience))
        } catch let error as SQLiteError where error.isBusy {
            throw Catalogue.isLocked(path)
        }
    }

    private static func isLocked(_ path: FilePath) -> RepositoryError {
        RepositoryError(
            .locked, "another process keeps the catalogue \(path) locked",
            hint: "Find it with 'fuser -v \(path)' and continue or end it, or give another"
                + " --cache-dir meanwhile.")
    }

    /// Works on the catalogue; where that finds it damaged, an empty one takes its place.
    private func using<R>(_ body: (Contents) throws -> sending R) throws -> sending R {
        try touching { contents in
            try Catalogue.endLookups(&contents)
            return try body(contents)
        }
    }

    private func touching<R>(
        _ body: (inout Contents) throws -> sending R
    ) throws -> sending R {
        try contents.withLock { contents in
            do {
                return try body(&contents)
            } catch let error as SQLiteError where error.isNotADatabase || error.isCorrupt {
                try Catalogue.discard(path)
                contents = try Catalogue.open(path, repository, patience)
                throw CatalogueLost(path: path)
            } catch let error as SQLiteError where error.isBusy {
                throw Catalogue.isLocked(path)
            }
        }
    }

    /// Works on the catalogue through its connection, for what needs no prepared statement.
    func withConnection<R>(_ body: (Connection) throws -> sending R) throws -> sending R {
        try using { try body($0.connection) }
    }

    /// Looks something up. Each read transaction takes locks and maps of the file anew, which costs
    /// more than to find a blob: many lookups share one.
    private func lookingUp<R>(_ body: (Contents) throws -> sending R) throws -> sending R {
        try touching { contents in
            if contents.lookups == Catalogue.lookupLimit { try Catalogue.endLookups(&contents) }
            if contents.lookups == 0 { try contents.connection.execute("BEGIN") }
            contents.lookups += 1
            return try body(contents)
        }
    }

    private static func endLookups(_ contents: inout Contents) throws {
        guard contents.lookups > 0 else { return }
        contents.lookups = 0
        // Some errors end a transaction by themselves.
        if contents.connection.isInTransaction { try contents.connection.execute("COMMIT") }
    }

    private static func discard(_ path: FilePath) throws {
        let disk = LinuxDisk()
        for suffix in ["", "-wal", "-shm"] {
            let file = FilePath(bytes: path.bytes + Array(suffix.utf8))
            if try disk.entry(at: file) != nil { try disk.remove(file) }
        }
    }

    private static func open(
        _ path: FilePath, _ repository: String, _ patience: Int
    ) throws -> Contents {
        let connection = try Connection(
            opening: path, mode: .readWriteCreate, busyTimeoutMilliseconds: patience)
        try connection.execute("PRAGMA journal_mode = WAL")
        // NORMAL keeps the file consistent through a power failure; a lost row costs a look.
        try connection.execute("PRAGMA synchronous = NORMAL")
        try connection.execute("PRAGMA cache_size = -8192")
        try claim(connection, repository)
        return Contents(
            connection: connection,
            locate: try connection.prepare(
                "SELECT pack, offset, kind, codec, stored, plain FROM blobs WHERE id = ?"),
            addPack: try connection.prepare(
                "INSERT INTO packs (name, size) VALUES (?, ?)"
                    + " ON CONFLICT (name) DO UPDATE SET size = excluded.size RETURNING number"),
            addBlob: try connection.prepare(
                "INSERT OR REPLACE INTO blobs VALUES (?, ?, ?, ?, ?, ?, ?)"))
    }

    // AUTOINCREMENT: the number of a pack that is gone never comes to mean another one, for which
    // a process that has not noticed yet would take it.
    private static let schema = """
        CREATE TABLE IF NOT EXISTS packs (
            number INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT UNIQUE NOT NULL,
            size INTEGER NOT NULL);
        CREATE TABLE IF NOT EXISTS blobs (
            id BLOB NOT NULL, pack INTEGER NOT NULL, offset INTEGER NOT NULL, kind INTEGER NOT NULL,
            codec INTEGER NOT NULL, stored INTEGER NOT NULL, plain INTEGER NOT NULL,
            PRIMARY KEY (id, pack)) WITHOUT ROWID;
        CREATE TABLE IF NOT EXISTS stream_segments (
            number INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT UNIQUE NOT NULL,
            size INTEGER NOT NULL, stream BLOB NOT NULL, epoch INTEGER NOT NULL,
            sequence INTEGER NOT NULL, summary BLOB NOT NULL, note BLOB NOT NULL);
        CREATE INDEX IF NOT EXISTS stream_segments_order
            ON stream_segments (stream, epoch, sequence);
        CREATE TABLE IF NOT EXISTS leases (
            id TEXT PRIMARY KEY, generation INTEGER NOT NULL, boot BLOB NOT NULL,
            since INTEGER NOT NULL) WITHOUT ROWID;
        """

    private static let about =
        "CREATE TABLE IF NOT EXISTS about (name TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID"

    /// Empties a catalogue that was made for another repository or by another version.
    private static func claim(_ connection: Connection, _ repository: String) throws {
        let wanted = "\(version) \(repository)"
        try connection.execute(about)
        let known = try connection.prepare("SELECT value FROM about WHERE name = 'repository'")
        let found = try known.step() ? known.text(at: 0) : nil
        known.reset()
        guard found != wanted else { return try connection.execute(schema) }
        try connection.transaction {
            for table in ["about", "packs", "blobs", "segments", "stream_segments", "leases"] {
                try connection.execute("DROP TABLE IF EXISTS \(table)")
            }
            try connection.execute(about)
            try connection.execute(schema)
            let insert = try connection.prepare("INSERT INTO about VALUES ('repository', ?)")
            insert.bind(wanted, at: 1)
            _ = try insert.step()
        }
    }

    /// All places of a blob, in no order.
    package func locations(of id: BlobID) throws -> [BlobLocation] {
        try lookingUp { contents in
            let locate = contents.locate
            defer { locate.reset() }
            locate.bind(id.digest, at: 1)
            var found: [BlobLocation] = []
            while try locate.step() {
                guard let kind = BlobKind(rawValue: UInt8(clamping: locate.integer(at: 2))),
                    let codec = BlobCodec(rawValue: UInt8(clamping: locate.integer(at: 3)))
                else { continue }
                let header = BlobHeader(
                    kind: kind, codec: codec, storedSize: Int(locate.integer(at: 4)),
                    plainSize: Int(locate.integer(at: 5)), id: id)
                let entry = PackEntry(offset: UInt64(locate.integer(at: 1)), header: header)
                found.append(BlobLocation(pack: locate.integer(at: 0), entry: entry))
            }
            return found
        }
    }

    /// All packs that are known.
    package func packs() throws -> [CataloguedPack] {
        try using { contents in
            let select = try contents.connection.prepare("SELECT number, name, size FROM packs")
            var packs: [CataloguedPack] = []
            while try select.step() {
                packs.append(
                    CataloguedPack(
                        number: select.integer(at: 0), name: select.text(at: 1),
                        size: UInt64(select.integer(at: 2))))
            }
            return packs
        }
    }

    /// Adds a pack and its blobs; returns its number.
    @discardableResult
    package func add(pack name: String, size: UInt64, entries: [PackEntry]) throws -> Int64 {
        try using { contents in
            try contents.connection.transaction {
                let addPack = contents.addPack
                addPack.bind(name, at: 1)
                addPack.bind(Int64(size), at: 2)
                guard try addPack.step() else {
                    throw RepositoryError(.damaged, "the catalogue gave no number for \(name)")
                }
                let number = addPack.integer(at: 0)
                addPack.reset()
                for entry in entries.sorted(by: { $0.header.id < $1.header.id }) {
                    try Catalogue.add(entry, pack: number, with: contents.addBlob)
                }
                return number
            }
        }
    }

    private static func add(_ entry: PackEntry, pack: Int64, with addBlob: Statement) throws {
        addBlob.bind(entry.header.id.digest, at: 1)
        addBlob.bind(pack, at: 2)
        addBlob.bind(Int64(entry.offset), at: 3)
        addBlob.bind(Int64(entry.header.kind.rawValue), at: 4)
        addBlob.bind(Int64(entry.header.codec.rawValue), at: 5)
        addBlob.bind(Int64(entry.header.storedSize), at: 6)
        addBlob.bind(Int64(entry.header.plainSize), at: 7)
        _ = try addBlob.step()
        addBlob.reset()
    }

    /// Drops packs and all that lies in them.
    package func remove(packs numbers: [Int64]) throws {
        guard !numbers.isEmpty else { return }
        try using { contents in
            try contents.connection.transaction {
                let list = numbers.map(String.init).joined(separator: ",")
                try contents.connection.execute("DELETE FROM blobs WHERE pack IN (\(list))")
                try contents.connection.execute("DELETE FROM packs WHERE number IN (\(list))")
                try contents.connection.execute("DELETE FROM about WHERE name LIKE 'whole %'")
            }
        }
    }
}

extension Catalogue {
    /// Nanoseconds for which a lease's generation is known to have stood still, as of `now`.
    func stillTime(
        of lease: LeaseID, generation: UInt64, boot: [UInt8], now: UInt64
    ) throws -> UInt64 {
        try using { contents in
            let select = try contents.connection.prepare(
                "SELECT since FROM leases WHERE id = ? AND generation = ? AND boot = ?")
            select.bind(lease.name, at: 1)
            select.bind(Int64(clamping: generation), at: 2)
            select.bind(boot, at: 3)
            if try select.step() {
                let since = UInt64(clamping: select.integer(at: 0))
                return now > since ? now - since : 0
            }
            let insert = try contents.connection.prepare(
                "INSERT OR REPLACE INTO leases VALUES (?, ?, ?, ?)")
            insert.bind(lease.name, at: 1)
            insert.bind(Int64(clamping: generation), at: 2)
            insert.bind(boot, at: 3)
            insert.bind(Int64(clamping: now), at: 4)
            _ = try insert.step()
            return 0
        }
    }
}
