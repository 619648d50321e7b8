import Platform
import SQLite
import Testing

@testable import Timeline

/// The header of the wal-index is written twice; a writer may be interrupted between.
@Suite struct WALIndexPatienceTests {
    /// Leaves the header as an interrupted writer does for as long as a busy machine may; a process
    /// of its own, for its closing of the file would drop SQLite's locks in this one.
    private static let interruption = """
        import mmap, sys, time
        with open(sys.argv[1], "r+b") as file, mmap.mmap(file.fileno(), 136) as index:
            index[8] ^= 1
            print("torn", flush=True)
            time.sleep(0.2)
            index[8] ^= 1
        """

    @Test func aWriterThatIsInterruptedAtTheHeaderIsWaitedFor() throws {
        let scratch = CaptureScratch()
        let writer = try scratch.makeDatabase("a.db", mode: "WAL")
        let reader = try DatabaseReader(opening: scratch.file("a.db"))
        try reader.hold()
        let before = try reader.head()
        let interrupted = try Subprocess([
            "python3", "-c", Self.interruption, scratch.file("a.db-shm").description,
        ])
        guard let output = interrupted.takeOutput() else {
            Issue.record("the other process has no output")
            return
        }
        var byte: UInt8 = 0
        _ = try withUnsafeMutableBytes(of: &byte) { try output.read(into: $0) }
        let after = try reader.head()
        #expect(after.head == before.head)
        #expect(try interrupted.wait().isSuccess)
        reader.letGo()
        reader.close()
        try writer.close()
    }
}
