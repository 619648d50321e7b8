import Synchronization

/// A file that is being written.
final class LinuxDiskWriter: DiskWriter {
    private struct State: ~Copyable {
        var descriptor: Descriptor?
        /// What a sync answered. The kernel reports a lost write once and forgets it: a second
        /// fsync would answer success. Source: fsync(2); https://lwn.net/Articles/752063/
        var lost: Errno?
    }

    private let state: Mutex<State>
    private let path: FilePath

    init(_ descriptor: consuming Descriptor, _ path: FilePath) {
        state = Mutex(State(descriptor: descriptor))
        self.path = path
    }

    func write(_ bytes: UnsafeRawBufferPointer) throws(SystemError) {
        try withDescriptor("write") { (descriptor) throws(SystemError) in
            try descriptor.write(bytes)
        }
    }

    func sync() throws(SystemError) {
        try withDescriptor("fsync") { (descriptor) throws(SystemError) in try descriptor.sync() }
    }

    func close() throws(SystemError) {
        guard let descriptor = state.withLock({ $0.descriptor.take() }) else {
            throw SystemError("close", path, .badDescriptor)
        }
        try descriptor.close()
    }

    private func withDescriptor(
        _ operation: String, _ body: (borrowing Descriptor) throws(SystemError) -> Void
    ) throws(SystemError) {
        let path = path
        try state.withLock { (state) throws(SystemError) in
            if let lost = state.lost { throw SystemError(operation, path, lost) }
            guard let descriptor = state.descriptor.take() else {
                throw SystemError(operation, path, .badDescriptor)
            }
            do throws(SystemError) {
                try body(descriptor)
                state.descriptor = consume descriptor
            } catch {
                if operation == "fsync" { state.lost = error.errno }
                state.descriptor = consume descriptor
                throw error
            }
        }
    }
}

/// A file that is being read.
final class LinuxDiskReader: DiskReader {
    let size: UInt64
    private let descriptor: Descriptor

    init(_ descriptor: consuming Descriptor, size: UInt64) {
        self.descriptor = descriptor
        self.size = size
    }

    func read(
        into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64
    ) throws(SystemError) -> Int {
        try descriptor.read(into: buffer, at: offset)
    }
}

/// A lock that goes with its open file.
final class LinuxDiskLock: DiskLock {
    private let descriptor: Descriptor

    init(_ descriptor: consuming Descriptor) {
        self.descriptor = descriptor
    }
}
