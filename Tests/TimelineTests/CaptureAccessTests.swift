import Glibc
import Platform
import SQLite
import Testing

@testable import Timeline

@Suite struct CaptureAccessTests {
    private let scratch = CaptureScratch()

    private func code(opening name: String, patience: Int = 0) -> CaptureError.Code? {
        let error = #expect(throws: CaptureError.self) {
            let reader = try DatabaseReader(
                opening: scratch.file(name), busyTimeoutMilliseconds: patience)
            try reader.withSnapshot { _ in }
        }
        return error?.code
    }

    @Test func databaseLockedByAnotherConnectionIsLocked() throws {
        let rollback = try scratch.makeDatabase("a.db", mode: "delete")
        try rollback.execute("BEGIN EXCLUSIVE")
        #expect(code(opening: "a.db", patience: 50) == .locked)
        let logged = try scratch.makeDatabase("b.db", mode: "wal")
        try logged.execute(
            "PRAGMA locking_mode = EXCLUSIVE; PRAGMA wal_checkpoint; INSERT INTO t (b) VALUES (1)")
        #expect(code(opening: "b.db") == .locked)
    }

    @Test func whatIsNoDatabaseIsToldApart() throws {
        try scratch.makeDatabase("a.db", mode: "delete").close()
        let good = try scratch.contents("a.db")
        var cases: [(String, [UInt8])] = [
            ("empty", []), ("short", Array(good.prefix(99))),
            ("encrypted", good.map { $0 ^ 0x5a }),
            ("cut short", Array(good.prefix(good.count / 2))),
        ]
        for (name, offset, byte) in [
            ("page size", 16, 3), ("wal2", 19, 3), ("write version", 18, 0), ("fraction", 21, 63),
            ("reserved", 20, 255),
        ] as [(String, Int, UInt8)] {
            var bytes = good
            bytes[offset] = byte
            // Larger reserves are right for larger pages.
            if name == "reserved" { (bytes[16], bytes[17]) = (2, 0) }
            cases.append((name, bytes))
        }
        for (name, bytes) in cases {
            scratch.write(bytes, to: name)
            #expect(code(opening: name) == .notADatabase, "\(name)")
        }
        #expect(code(opening: "absent") == .unreadable)
        mkdir(scratch.file("directory").description, 0o700)
        #expect(code(opening: "directory") == .notADatabase)
    }

    @Test func nothingAppearsBesideADatabaseInRollbackMode() throws {
        try scratch.makeDatabase("a.db", mode: "delete").close()
        let reader = try DatabaseReader(opening: scratch.file("a.db"))
        try reader.withoutLock { view in
            _ = try bytes(of: view)
            #expect(scratch.names == ["a.db"])
        }
        try reader.withSnapshot { _ in #expect(scratch.names == ["a.db"]) }
        reader.close()
        #expect(scratch.names == ["a.db"])
    }

    @Test func idleDatabaseInLogModeIsLeftAsItWas() throws {
        try scratch.makeDatabase("a.db", mode: "wal").close()
        let before = try scratch.contents("a.db")
        let reader = try DatabaseReader(opening: scratch.file("a.db"))
        #expect(try reader.withSnapshot(bytes(of:)) == before)
        reader.close()
        #expect(scratch.names == ["a.db"])
        #expect(try scratch.contents("a.db") == before)
    }

    @Test(.enabled(if: geteuid() == 0))
    func filesMadeByRootBelongToTheDatabasesOwner() throws {
        try scratch.makeDatabase("a.db", mode: "wal").close()
        let name = scratch.file("a.db").description
        chown(name, 1234, 4321)
        chmod(name, 0o640)
        let reader = try DatabaseReader(opening: scratch.file("a.db"))
        try reader.withSnapshot { _ in
            for suffix in ["-wal", "-shm"] {
                var status = stat()
                #expect(stat(name + suffix, &status) == 0)
                #expect(status.st_uid == 1234 && status.st_gid == 4321)
                #expect(status.st_mode & 0o777 == 0o640)
            }
        }
    }

    @Test(arguments: ["wal", "delete"])
    func databaseIsOpenByOneDescriptorOnly(mode: String) throws {
        try scratch.makeDatabase("a.db", mode: mode).close()
        let reader = try DatabaseReader(opening: scratch.file("a.db"))
        try reader.withSnapshot { view in
            _ = try bytes(of: view)
            let open = openFiles(under: scratch.file("a.db").description)
            let expected = mode == "wal" ? ["a.db", "a.db-shm", "a.db-wal"] : ["a.db"]
            #expect(open == expected.map { scratch.file($0).description })
        }
        try reader.withSnapshot { _ in }
        reader.close()
        #expect(openFiles(under: scratch.file("a.db").description) == [])
    }

    private func openFiles(under prefix: String) -> [String] {
        var found: [String] = []
        for descriptor in 0..<1024 {
            guard let target = realpath("/proc/self/fd/\(descriptor)", nil) else { continue }
            let name = String(cString: target)
            free(target)
            if name.hasPrefix(prefix) { found.append(name) }
        }
        return found.sorted()
    }

    @Test func readerHoldsItsLockWhileAViewIsOpen() throws {
        let connection = try scratch.makeDatabase("a.db", mode: "delete")
        try connection.execute("PRAGMA busy_timeout = 0")
        let reader = try DatabaseReader(opening: scratch.file("a.db"))
        try reader.withSnapshot { view in
            _ = try bytes(of: view)
            usleep(3000)
            let error = #expect(throws: SQLiteError.self) {
                try connection.execute("INSERT INTO t (b) VALUES (1)")
            }
            #expect(error?.isBusy == true)
        }
        #expect(reader.longestHoldNanoseconds > 3_000_000)
        try connection.execute("INSERT INTO t (b) VALUES (1)")
    }

    @Test func replacedFileAndChangedPageSizeAreNoticed() throws {
        let connection = try scratch.makeDatabase("a.db", mode: "delete")
        let reader = try DatabaseReader(opening: scratch.file("a.db"))
        try connection.execute("PRAGMA page_size = 8192; VACUUM")
        #expect(throws: CaptureError.self) { try reader.withSnapshot { _ in } }
        try connection.execute("PRAGMA page_size = 4096; VACUUM")
        try reader.withSnapshot { _ in }
        try scratch.copy("a.db", to: "b.db")
        rename(scratch.file("b.db").description, scratch.file("a.db").description)
        let error = #expect(throws: CaptureError.self) { try reader.withSnapshot { _ in } }
        #expect(error?.code == .changedWhileReading)
    }
}
