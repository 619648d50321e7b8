import Glibc
import Platform
import SQLite
import Simulation
import Testing

@testable import Timeline

/// Databases that somebody prepared to hurt whoever backs them up.
@Suite struct CaptureSafetyTests {
    private let scratch = CaptureScratch()

    /// A database with a hot journal that asks for the removal of the file `victim`.
    private func makeTrap() throws {
        try scratch.makeDatabase("a.db", mode: "delete", rows: 5).close()
        scratch.write([1, 2, 3], to: "victim")
        let pages = UInt32(try scratch.contents("a.db").count / 4096)
        scratch.write(
            HostileJournal.bytes(pageCount: pages, superJournal: scratch.file("victim")),
            to: "a.db-journal")
    }

    @Test func journalOfADatabaseWhoseDirectoryIsOursIsRolledBack() throws {
        try makeTrap()
        let reader = try DatabaseReader(opening: scratch.file("a.db"))
        try reader.withSnapshot { _ in }
        // SQLite does what the journal says: the trap works where it is sprung.
        #expect(scratch.names == ["a.db"])
    }

    @Test(.enabled(if: geteuid() == 0), arguments: [0o777, 0o1777, 0o775] as [mode_t])
    func journalThatOthersCouldHavePutThereIsNotRolledBackByRoot(mode: mode_t) throws {
        try makeTrap()
        chown(scratch.path.description, 0, 4321)
        chmod(scratch.path.description, mode)
        let error = #expect(throws: CaptureError.self) {
            let reader = try DatabaseReader(
                opening: scratch.file("a.db"), busyTimeoutMilliseconds: 0)
            try reader.withSnapshot { _ in }
        }
        #expect(error?.code == .unreadable && error?.hint != nil)
        #expect(scratch.names == ["a.db", "a.db-journal", "victim"])
        // Without a journal there is nothing to fear, and nothing is refused.
        remove(scratch.file("a.db-journal").description)
        try DatabaseReader(opening: scratch.file("a.db")).withSnapshot { _ in }
    }

    @Test(.enabled(if: geteuid() == 0))
    func directoryBelongsToAUserWhereNobodyElseCanPutAnythingOnTheWay() throws {
        let path = scratch.path.appending("d").appending("a.db")
        let cases: [(upper: (uid_t, gid_t, mode_t), lower: (uid_t, gid_t, mode_t), Bool)] = [
            ((0, 0, 0o755), (1234, 1234, 0o700), true),
            ((0, 0, 0o755), (1234, 1234, 0o775), true),
            ((0, 0, 0o755), (1234, 4321, 0o775), false),
            ((0, 0, 0o755), (1234, 1234, 0o777), false),
            ((0, 0, 0o755), (1234, 1234, 0o1777), false),
            ((0, 0, 0o755), (4321, 1234, 0o700), false),
            ((0, 0, 0o1777), (1234, 1234, 0o700), true),
            ((0, 0, 0o777), (1234, 1234, 0o700), false),
            ((4321, 0, 0o755), (1234, 1234, 0o700), false),
            ((1234, 0, 0o755), (0, 0, 0o775), true),
        ]
        mkdir(path.parent.description, 0o700)
        defer { rmdir(path.parent.description) }
        for (upper, lower, expected) in cases {
            for (name, right) in [(scratch.path, upper), (path.parent, lower)] {
                chown(name.description, right.0, right.1)
                chmod(name.description, right.2)
            }
            #expect(
                DirectoryAccess.belongs(path, to: 1234) == expected, "\(upper) above \(lower)")
        }
    }

    @Test func anotherFileThanTheOneThatWasSeenIsNotRead() throws {
        try scratch.makeDatabase("a.db", mode: "delete").close()
        try scratch.makeDatabase("b.db", mode: "delete").close()
        let directory = try Descriptor.open(scratch.path, flags: O_RDONLY | O_DIRECTORY)
        let name = Array("a.db".utf8)
        let seen = try FileStatus.of(name, in: directory)
        let location = DatabaseLocation(
            scratch.file("a.db"), at: DatabasePlace(name, in: directory), expecting: seen)
        try DatabaseReader(location).withSnapshot { _ in }
        rename(scratch.file("b.db").description, scratch.file("a.db").description)
        let error = #expect(throws: CaptureError.self) { try DatabaseReader(location) }
        #expect(error?.code == .changedWhileReading)
    }

    @Test(.enabled(if: geteuid() == 0))
    func databaseInADirectoryThatAnotherCanMoveIsReadWhereItWasMet() throws {
        try scratch.makeDatabase("a.db", mode: "delete", rows: 3).close()
        chown(scratch.path.description, 1234, 1234)
        let directory = try Descriptor.open(scratch.path, flags: O_RDONLY | O_DIRECTORY)
        let name = Array("a.db".utf8)
        let seen = try FileStatus.of(name, in: directory)
        let location = DatabaseLocation(
            source: scratch.file("a.db"), at: DatabasePlace(name, in: directory), expecting: seen)
        let reader = try DatabaseReader(location)
        // What the path leads to by now makes no difference.
        let aside = "\(scratch.path).aside"
        rename(scratch.path.description, aside)
        defer { rename(aside, scratch.path.description) }
        try reader.withSnapshot { view in #expect(view.pageCount > 0) }
    }

    @Test func databaseThatIsAnotherOneThanTheWalkMetIsNotRead() throws {
        try scratch.makeDatabase("a.db", mode: "delete").close()
        try scratch.makeDatabase("b.db", mode: "delete").close()
        let directory = try Descriptor.open(scratch.path, flags: O_RDONLY | O_DIRECTORY)
        let name = Array("a.db".utf8)
        let other = try FileStatus.of(Array("b.db".utf8), in: directory)
        let location = DatabaseLocation(
            source: scratch.file("a.db"), at: DatabasePlace(name, in: directory), expecting: other)
        let error = #expect(throws: CaptureError.self) { try DatabaseReader(location) }
        #expect(error?.code == .changedWhileReading)
    }

    @Test func walIndexThatTellsOfPagesThatAreNowhereIsRefused() throws {
        let connection = try scratch.makeDatabase("a.db", mode: "wal", rows: 50)
        for pages in [UInt32.max, 1 << 20] {
            try overwrite(pageCount: pages)
            let error = #expect(throws: CaptureError.self) {
                let reader = try DatabaseReader(opening: scratch.file("a.db"))
                try reader.withSnapshot { view in #expect(view.pageCount < 1000) }
            }
            #expect(error?.code == .changedWhileReading)
        }
        withExtendedLifetime(connection) {}
    }

    /// Tells of another size in both copies of the wal-index header, with the checksum it needs.
    private func overwrite(pageCount: UInt32) throws {
        var head = Array(try scratch.contents("a.db-shm").prefix(48))
        withUnsafeBytes(of: pageCount) { head.replaceSubrange(20..<24, with: $0) }
        var sum = WALChecksum(first: 0, second: 0)
        head.withUnsafeBytes {
            sum.add(UnsafeRawBufferPointer(rebasing: $0[..<40]), bigEndian: 1.bigEndian == 1)
        }
        withUnsafeBytes(of: sum.first) { head.replaceSubrange(40..<44, with: $0) }
        withUnsafeBytes(of: sum.second) { head.replaceSubrange(44..<48, with: $0) }
        let file = try Descriptor.open(scratch.file("a.db-shm"), flags: O_RDWR)
        try (head + head).withUnsafeBytes {
            try Descriptor.write($0, to: file.raw, at: 0, path: scratch.file("a.db-shm"))
        }
    }
}
