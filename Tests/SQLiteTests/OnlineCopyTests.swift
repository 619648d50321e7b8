import Glibc
import Platform
import Testing

@testable import SQLite

@Suite struct OnlineCopyTests {
    private let scratch = Scratch()
    private let source = Array("source.db".utf8)
    private let target = Array("target.db".utf8)

    private func make(_ name: String, holding value: Int, mode: String) throws {
        let connection = try Connection(
            opening: scratch.path.appending(name), mode: .readWriteCreate,
            busyTimeoutMilliseconds: 0)
        try connection.execute(
            "PRAGMA journal_mode = \(mode); CREATE TABLE t (x); INSERT INTO t VALUES (\(value))")
        try connection.close()
    }

    private func value(in name: String) throws -> Int64 {
        let connection = try Connection(
            opening: scratch.path.appending(name), mode: .readOnly, busyTimeoutMilliseconds: 0)
        let statement = try connection.prepare("SELECT x FROM t")
        return try statement.step() ? statement.integer(at: 0) : -1
    }

    private func copy(
        in directory: borrowing Descriptor, expecting status: FileStatus
    ) throws {
        let shown = FilePath("/shown/in/messages")
        let copy = try OnlineCopy(of: shown, at: DatabasePlace(source, in: directory))
        try copy.begin(
            over: shown, at: DatabasePlace(target, in: directory), expecting: status
        ).finish()
        try copy.close()
    }

    @Test(arguments: ["delete", "wal"])
    func copyStaysInTheDirectoryThatWasOpened(mode: String) throws {
        for name in ["source.db", "target.db"] {
            try make(name, holding: name == "source.db" ? 7 : 1, mode: mode)
        }
        let directory = try Descriptor.open(scratch.path, flags: O_RDONLY | O_DIRECTORY)
        let status = try FileStatus.of(target, in: directory)
        // Whoever can move the directory puts a link to somewhere else in its place.
        let moved = scratch.path.description + "-moved"
        #expect(rename(scratch.path.description, moved) == 0)
        #expect(symlink("/nonexistent", scratch.path.description) == 0)
        defer {
            remove(scratch.path.description)
            rename(moved, scratch.path.description)
        }
        try copy(in: directory, expecting: status)
        remove(scratch.path.description)
        rename(moved, scratch.path.description)
        #expect(try value(in: "target.db") == 7)
    }

    @Test(arguments: ["delete", "wal"])
    func whileTheLockIsHeldNobodyCommitsAndWhatIsGivenUpLeavesTheDatabaseAsItWas(
        mode: String
    ) throws {
        for name in ["source.db", "target.db"] {
            try make(name, holding: name == "source.db" ? 7 : 1, mode: mode)
        }
        let directory = try Descriptor.open(scratch.path, flags: O_RDONLY | O_DIRECTORY)
        let copy = try OnlineCopy(
            of: FilePath("/shown"), at: DatabasePlace(source, in: directory))
        let writing = try copy.begin(
            over: FilePath("/shown"), at: DatabasePlace(target, in: directory),
            expecting: try FileStatus.of(target, in: directory))
        let other = try Connection(
            opening: scratch.path.appending("target.db"), mode: .readWrite,
            busyTimeoutMilliseconds: 0)
        let error = #expect(throws: SQLiteError.self) { try other.execute("UPDATE t SET x = 2") }
        #expect(error?.isBusy == true)
        try writing.giveUp()
        #expect(try value(in: "target.db") == 1)
        try other.execute("UPDATE t SET x = 2")
        try other.close()
        try copy.close()
        #expect(try value(in: "target.db") == 2)
    }

    @Test func anotherFileThanTheOneThatWasSeenIsNotWritten() throws {
        for (name, value) in [("source.db", 7), ("target.db", 1), ("other.db", 2)] {
            try make(name, holding: value, mode: "delete")
        }
        let directory = try Descriptor.open(scratch.path, flags: O_RDONLY | O_DIRECTORY)
        let status = try FileStatus.of(target, in: directory)
        rename(
            scratch.path.appending("other.db").description,
            scratch.path.appending("target.db").description)
        let error = #expect(throws: SQLiteError.self) {
            try copy(in: directory, expecting: status)
        }
        #expect(error?.isBusy == true)
        #expect(try value(in: "target.db") == 2)
    }

    @Test func linkInPlaceOfTheDatabaseIsNotFollowed() throws {
        for (name, value) in [("source.db", 7), ("other.db", 2)] {
            try make(name, holding: value, mode: "delete")
        }
        symlink("other.db", scratch.path.appending("target.db").description)
        let directory = try Descriptor.open(scratch.path, flags: O_RDONLY | O_DIRECTORY)
        let status = try FileStatus.of(Array("other.db".utf8), in: directory)
        #expect(throws: SQLiteError.self) { try copy(in: directory, expecting: status) }
        #expect(try value(in: "other.db") == 2)
    }
}
