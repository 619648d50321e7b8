import Glibc
import Platform
import Synchronization
import Testing

struct DescriptorTests {
    @Test func writtenBytesAreReadBackAtTheirOffsets() throws {
        let directory = try TemporaryDirectory()
        let file = try Descriptor.open(directory.path.appending("f"), flags: O_RDWR | O_CREAT)
        try Array("hello world".utf8).withUnsafeBytes { try file.write($0) }
        try Array("W".utf8).withUnsafeBytes { try file.write($0, at: 6) }
        #expect(try read(file, count: 5, at: 6) == "World".bytes)
        #expect(try read(file, count: 100, at: 6) == "World".bytes)
        #expect(try read(file, count: 5, at: 11) == [])
        #expect(try read(file, count: 5, at: 1 << 62) == [])
        try file.sync()
        try file.close()
    }

    private func read(
        _ file: borrowing Descriptor, count: Int, at offset: UInt64
    ) throws -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        let done = try bytes.withUnsafeMutableBytes { [raw = file.raw] buffer in
            let file = try Descriptor.duplicate(of: raw)
            return try file.read(into: buffer, at: offset)
        }
        return Array(bytes.prefix(done))
    }

    /// A pipe hands over less than asked for, and signals cut calls short; neither shows.
    @Test func readsAndWritesGoOnAfterSignalsAndShortTransfers() throws {
        var action = sigaction()
        action.__sigaction_handler.sa_handler = { _ in }
        var previous = sigaction()
        #expect(sigaction(SIGUSR1, &action, &previous) == 0)
        defer { sigaction(SIGUSR1, &previous, nil) }
        let sent = (0..<1_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31 ^ ($0 >> 8)) }
        let pipe = try Pipe()
        let writing = try Descriptor.duplicate(of: pipe.writing.raw)
        let reading = pipe.keepingReading()
        let thread = Atomic<UInt>(0)
        let isDone = Atomic<Bool>(false)
        let writer = WorkerThread(name: "writer") { [raw = writing.release()] in
            let end = Descriptor(owning: raw)
            // The runner of the tests hands down blocked signals.
            var signals = sigset_t()
            sigemptyset(&signals)
            sigaddset(&signals, SIGUSR1)
            pthread_sigmask(SIG_UNBLOCK, &signals, nil)
            thread.store(pthread_self(), ordering: .sequentiallyConsistent)
            do {
                try sent.withUnsafeBytes { try end.write($0) }
            } catch {
                Issue.record(error)
            }
            isDone.store(true, ordering: .sequentiallyConsistent)
            // Stays to be signalled until nobody does any more.
            SystemClock().sleep(nanoseconds: 50_000_000)
        }
        var received = [UInt8](repeating: 0, count: sent.count + 10)
        var done = 0
        // The pipe is full first, so that signals meet a write that has handed over nothing.
        for _ in 0..<20 {
            SystemClock().sleep(nanoseconds: 2_000_000)
            let id = thread.load(ordering: .sequentiallyConsistent)
            if id != 0 { pthread_kill(id, SIGUSR1) }
        }
        while done < 300_000 {
            let id = thread.load(ordering: .sequentiallyConsistent)
            if id != 0, !isDone.load(ordering: .sequentiallyConsistent) {
                pthread_kill(id, SIGUSR1)
            }
            let count = try received.withUnsafeMutableBytes {
                try reading.readAvailable(into: .init(rebasing: $0[done..<(done + 997)]))
            }
            if count == 0 { break }
            done += count
        }
        done += try received.withUnsafeMutableBytes {
            try reading.read(into: .init(rebasing: $0[done...]))
        }
        writer.join()
        #expect(done == sent.count)
        // A failed comparison of arrays this long would take hours to describe.
        let isWhole = received.prefix(done).elementsEqual(sent)
        #expect(isWhole)
    }

    @Test func statusTellsKindSizeAndPermissions() throws {
        let directory = try TemporaryDirectory()
        let file = try Descriptor.open(
            "f".bytes, in: directory.descriptor, flags: O_RDWR | O_CREAT, mode: 0o640)
        try [UInt8](repeating: 7, count: 5000).withUnsafeBytes { try file.write($0) }
        let status = try file.status()
        #expect(status.kind == .regular)
        #expect(status.size == 5000)
        #expect(status.permissions & 0o700 == 0o600)
        #expect(status.links == 1)
        #expect(status.userID == getuid())
        let byName = try FileStatus.of("f".bytes, in: directory.descriptor)
        #expect(byName.inode == status.inode && byName.device == status.device)
        #expect(try directory.descriptor.status().kind == .directory)
        #expect(try FileStatus.of("/dev/null", followingLinks: false).kind == .characterDevice)
    }

    @Test func holesAreFoundAndPassedOver() throws {
        let directory = try TemporaryDirectory()
        let file = try Descriptor.open(directory.path.appending("f"), flags: O_RDWR | O_CREAT)
        try file.truncate(to: 1 << 20)
        try [UInt8](repeating: 1, count: 4096).withUnsafeBytes { try file.write($0, at: 512 << 10) }
        let data = try file.nextData(from: 0)
        let hole = try file.nextHole(from: 512 << 10)
        #expect(try file.status().size == 1 << 20)
        #expect(data == 512 << 10)
        #expect(hole == 516 << 10)
        #expect(try file.nextData(from: 516 << 10) == nil)
        #expect(try file.nextHole(from: 1 << 20) == nil)
        #expect(try file.status().allocated < 1 << 20)
    }

    @Test func nameThatLeavesTheDirectoryIsRefused() throws {
        let directory = try TemporaryDirectory()
        for name in ["..", "/etc", "a/b"].map(\.bytes) + [[0x61, 0]] {
            let failure = try errno {
                _ = try Descriptor.open(name, in: directory.descriptor, flags: O_RDONLY)
            }
            #expect(failure == .invalidArgument)
        }
        _ = try Descriptor.open(".".bytes, in: directory.descriptor, flags: O_RDONLY)
    }

    @Test func openedDescriptorIsNotInheritedAndClosesWithItsOwner() throws {
        var raw: CInt = -1
        do {
            let file = try Descriptor.open("/dev/null", flags: O_RDONLY)
            raw = file.raw
            #expect(fcntl(raw, F_GETFD) & FD_CLOEXEC != 0)
        }
        // Another test may have been given the number since; then it is not /dev/null.
        var status = stat()
        #expect(fstat(raw, &status) != 0 || status.st_rdev != DeviceNumber.of(major: 1, minor: 3))
    }

    @Test func readingAllStopsAtItsLimit() throws {
        let directory = try TemporaryDirectory()
        try directory.file("f", Array(repeating: 9, count: 40_000))
        #expect(try directory.contents("f").count == 40_000)
        let failure = try errno {
            _ = try Descriptor.contents(of: directory.path.appending("f"), limit: 39_999)
        }
        #expect(failure == .fileTooLarge)
    }

    @Test func syncOfAFileSystemThatFailsSaysSo() throws {
        let directory = try TemporaryDirectory()
        try Descriptor.open(directory.path, flags: O_RDONLY | O_DIRECTORY).syncFileSystem()
        // One that only names a place cannot sync. Source: O_PATH, open(2).
        let onlyNames: CInt = 0o10_000_000
        let failure = try errno {
            try Descriptor.open(directory.path, flags: onlyNames).syncFileSystem()
        }
        #expect(failure == .badDescriptor)
    }

    @Test func errorNamesThePathThatWasTried() throws {
        do {
            _ = try Descriptor.open("/nowhere/at/all", flags: O_RDONLY)
            Issue.record("opened what is not there")
        } catch {
            #expect(error == SystemError("open", "/nowhere/at/all", .noSuchFile))
        }
    }
}
