// A process that writes to a database as fast as it can, for tests that read it meanwhile.
//
//   DatabaseWriter PATH wal|delete|truncate|persist SECONDS
//
// Each transaction moves money between two accounts, so that all balances together stay 0, counts
// up a counter, and adds a row of history with the counter's value. It prints the last value that
// was committed.

import Glibc
import Platform
import SQLite

struct Writer {
    let connection: Connection
    let journalMode: String
    private let move: Statement
    private let count: Statement
    private let remember: Statement
    private let forget: Statement
    private var random = SystemRandomNumberGenerator()
    private(set) var counter: Int64

    static let accounts: Int64 = 1000

    init(_ path: FilePath, journalMode: String) throws {
        self.journalMode = journalMode
        connection = try Connection(
            opening: path, mode: .readWriteCreate, busyTimeoutMilliseconds: 60_000)
        // A process that is killed loses nothing for it, and nothing here cuts the power.
        try connection.execute("PRAGMA journal_mode = \(journalMode); PRAGMA synchronous = OFF")
        try connection.execute(
            """
            BEGIN IMMEDIATE;
            CREATE TABLE IF NOT EXISTS account (id INTEGER PRIMARY KEY, balance INTEGER NOT NULL);
            CREATE TABLE IF NOT EXISTS counter (value INTEGER NOT NULL);
            CREATE TABLE IF NOT EXISTS history (value INTEGER PRIMARY KEY, note BLOB NOT NULL);
            CREATE INDEX IF NOT EXISTS history_note ON history (note);
            WITH RECURSIVE n (id) AS
                (VALUES (1) UNION ALL SELECT id + 1 FROM n LIMIT \(Writer.accounts))
                INSERT OR IGNORE INTO account SELECT id, 0 FROM n;
            INSERT INTO counter SELECT 0 WHERE NOT EXISTS (SELECT * FROM counter);
            COMMIT
            """)
        let read = try connection.prepare("SELECT value FROM counter")
        counter = try read.step() ? read.integer(at: 0) : 0
        move = try connection.prepare("UPDATE account SET balance = balance + ? WHERE id = ?")
        count = try connection.prepare("UPDATE counter SET value = ?")
        remember = try connection.prepare("INSERT INTO history VALUES (?, ?)")
        forget = try connection.prepare("DELETE FROM history WHERE value < ?")
    }

    mutating func commit() throws {
        let next = counter + 1
        try connection.transaction {
            let amount = Int64.random(in: 1...100, using: &random)
            for signed in [amount, -amount] {
                move.bind(signed, at: 1)
                move.bind(Int64.random(in: 1...Writer.accounts, using: &random), at: 2)
                try run(move)
            }
            count.bind(next, at: 1)
            try run(count)
            let note = [UInt8](
                repeating: .random(in: 0...255, using: &random),
                count: .random(in: 0...3000, using: &random))
            remember.bind(next, at: 1)
            remember.bind(note, at: 2)
            try run(remember)
            if next % 100 == 0 {
                forget.bind(next - 500, at: 1)
                try run(forget)
            }
        }
        counter = next
        if next % 400 == 0 { try checkpoint() }
    }

    private func run(_ statement: Statement) throws {
        _ = try statement.step()
        statement.reset()
    }

    /// All that others may do to a log while it is read.
    private func checkpoint() throws {
        guard journalMode == "wal" else { return }
        let kinds = ["TRUNCATE", "PASSIVE", "RESTART", "FULL"]
        try connection.execute("PRAGMA busy_timeout = 20")
        // One that cannot have its locks in time reports that in a row, not as an error.
        try connection.execute("PRAGMA wal_checkpoint(\(kinds[Int(counter / 400) % kinds.count]))")
        try connection.execute("PRAGMA busy_timeout = 60000")
    }
}

func now() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
}

func run(_ arguments: [String]) throws {
    guard arguments.count == 4, let seconds = Double(arguments[3]) else {
        print("usage: DatabaseWriter PATH wal|delete|truncate|persist SECONDS")
        exit(2)
    }
    var writer = try Writer(FilePath(arguments[1]), journalMode: arguments[2])
    let end = now() + seconds
    while now() < end { try writer.commit() }
    print(writer.counter)
}

try run(CommandLine.arguments)
