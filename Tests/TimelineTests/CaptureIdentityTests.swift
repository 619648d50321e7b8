import Glibc
import Platform
import SQLite
import Testing

@testable import Timeline

@Suite struct CaptureIdentityTests {
    private let scratch = CaptureScratch()

    /// Long enough for the kernel's clock to move on from a write.
    private func settle() { usleep(80_000) }

    private func fingerprint(_ reader: DatabaseReader) throws -> [UInt8] {
        try reader.withSnapshot { $0.identity.encoded }
    }

    @Test(arguments: ["wal", "delete"], [true, false])
    func nothingChangedIsSeenWithoutReading(mode: String, staysOpen: Bool) throws {
        let connection = try scratch.makeDatabase("a.db", mode: mode)
        if !staysOpen { try connection.close() }
        settle()
        let first = try DatabaseReader(opening: scratch.file("a.db"))
        let known = try fingerprint(first)
        first.close()
        let second = try DatabaseReader(opening: scratch.file("a.db"))
        #expect(try second.isUnchanged(since: known))
        // An idle database is not even attached to, which would make files for a moment.
        if !staysOpen { #expect(scratch.names == ["a.db"]) }
    }

    @Test(arguments: ["wal", "delete"])
    func commitIsSeen(mode: String) throws {
        let connection = try scratch.makeDatabase("a.db", mode: mode)
        settle()
        let reader = try DatabaseReader(opening: scratch.file("a.db"))
        let known = try fingerprint(reader)
        #expect(try reader.isUnchanged(since: known))
        try connection.execute("UPDATE t SET b = 1 WHERE a = 7")
        #expect(try !reader.isUnchanged(since: known))
        #expect(try !DatabaseIdentity.wentBack(from: known, to: fingerprint(reader)))
        #expect(try DatabaseIdentity.wentBack(from: fingerprint(reader), to: known))
    }

    @Test func fileWrittenAMomentAgoIsNeverCalledUnchanged() throws {
        let connection = try scratch.makeDatabase("a.db", mode: "delete")
        let reader = try DatabaseReader(opening: scratch.file("a.db"))
        settle()
        try connection.execute("UPDATE t SET b = 1 WHERE a = 7")
        let known = try fingerprint(reader)
        #expect(try !reader.isUnchanged(since: known))
    }

    @Test func unlockedPagesCountOnlyWhereNothingWasWrittenMeanwhile() throws {
        let connection = try scratch.makeDatabase("a.db", mode: "delete", rows: 2000)
        let reader = try DatabaseReader(opening: scratch.file("a.db"))
        settle()
        let quiet = try reader.withoutLock { ($0.identity, try bytes(of: $0)) }
        let same = try reader.withSnapshot { ($0.identity, try bytes(of: $0)) }
        #expect(same.0 == quiet.0)
        #expect(same.1 == quiet.1)
        // A transaction that spills and is rolled back moves no counter, but pages were seen.
        let torn = try reader.withoutLock { view in
            try connection.execute(
                "PRAGMA cache_size = 10; BEGIN; UPDATE t SET b = randomblob(900)")
            return (view.identity, try bytes(of: view))
        }
        try connection.execute("ROLLBACK")
        let whole = try reader.withSnapshot { ($0.identity, try bytes(of: $0)) }
        #expect(whole.0 != torn.0)
        #expect(whole.1 != torn.1)
    }

    @Test func writersAreNotHeldUpByAnUnlockedRead() throws {
        let connection = try scratch.makeDatabase("a.db", mode: "delete")
        let reader = try DatabaseReader(opening: scratch.file("a.db"))
        try reader.withoutLock { _ in
            try connection.execute("PRAGMA busy_timeout = 0; UPDATE t SET b = 1 WHERE a = 7")
            usleep(20_000)
        }
        #expect(reader.longestHoldNanoseconds < 20_000_000)
    }

    @Test func identityComesBackFromItsBytes() throws {
        let connection = try scratch.makeDatabase("a.db", mode: "wal")
        let reader = try DatabaseReader(opening: scratch.file("a.db"))
        let identity = try reader.withSnapshot { $0.identity }
        #expect(identity.log.lastFrame > 0)
        #expect(identity.encoded.count == DatabaseIdentity.size)
        #expect(try DatabaseIdentity(decoding: identity.encoded) == identity)
        for size in 0..<identity.encoded.count {
            #expect(throws: (any Error).self) {
                try DatabaseIdentity(decoding: Array(identity.encoded.prefix(size)))
            }
        }
        #expect(try !reader.isUnchanged(since: [1, 2, 3]))
        _ = connection
    }

    @Test func replacedFileMayHaveGoneBack() throws {
        try scratch.makeDatabase("a.db", mode: "delete").close()
        let reader = try DatabaseReader(opening: scratch.file("a.db"))
        let known = try fingerprint(reader)
        reader.close()
        try scratch.copy("a.db", to: "b.db")
        rename(scratch.file("b.db").description, scratch.file("a.db").description)
        let again = try DatabaseReader(opening: scratch.file("a.db"))
        #expect(try DatabaseIdentity.wentBack(from: known, to: fingerprint(again)))
        #expect(DatabaseIdentity.wentBack(from: [], to: known))
    }
}
