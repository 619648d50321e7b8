import Platform
import Synchronization

/// A file of a simulated disk that is being written.
final class SimulatedDiskWriter: DiskWriter {
    private let disk: SimulatedDisk
    private let inode: Int
    private let path: FilePath
    private let isClosed = Atomic<Bool>(false)

    init(_ disk: SimulatedDisk, _ inode: Int, _ path: FilePath) {
        self.disk = disk
        self.inode = inode
        self.path = path
    }

    func write(_ bytes: UnsafeRawBufferPointer) throws(SystemError) {
        try checkOpen("write")
        try disk.state.withLock { (state) throws(SystemError) in
            if let failure = try state.count("write", path) {
                let half = UnsafeRawBufferPointer(rebasing: bytes[..<(bytes.count / 2)])
                state.files[inode]?.append(half)
                throw SystemError("write", path, failure)
            }
            if let lost = state.files[inode]?.lost { throw SystemError("write", path, lost) }
            state.files[inode]?.append(bytes)
        }
    }

    func sync() throws(SystemError) {
        try checkOpen("fsync")
        try disk.state.withLock { (state) throws(SystemError) in
            if let failure = try state.count("fsync", path) {
                state.files[inode]?.failSync(failure)
                throw SystemError("fsync", path, failure)
            }
            if let lost = state.files[inode]?.lost { throw SystemError("fsync", path, lost) }
            state.files[inode]?.sync()
        }
    }

    func close() throws(SystemError) {
        if isClosed.exchange(true, ordering: .relaxed) {
            throw SystemError("close", path, .badDescriptor)
        }
        try disk.state.withLock { (state) throws(SystemError) in
            try state.checkPower("close", path)
        }
    }

    private func checkOpen(_ operation: String) throws(SystemError) {
        if isClosed.load(ordering: .relaxed) {
            throw SystemError(operation, path, .badDescriptor)
        }
    }
}

/// A file of a simulated disk as it was when it was opened.
final class SimulatedDiskReader: DiskReader {
    private let disk: SimulatedDisk
    private let bytes: [UInt8]
    private let path: FilePath

    init(_ disk: SimulatedDisk, _ bytes: [UInt8], _ path: FilePath) {
        self.disk = disk
        self.bytes = bytes
        self.path = path
    }

    var size: UInt64 { UInt64(bytes.count) }

    func read(
        into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64
    ) throws(SystemError) -> Int {
        try disk.state.withLock { (state) throws(SystemError) in
            try state.checkPower("read", path)
        }
        guard offset < size else { return 0 }
        let start = Int(offset)
        let count = min(buffer.count, bytes.count - start)
        bytes.withUnsafeBytes {
            buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[start..<(start + count)]))
        }
        return count
    }
}

/// A lock on a simulated disk.
final class SimulatedDiskLock: DiskLock {
    private let disk: SimulatedDisk
    private let path: FilePath

    init(_ disk: SimulatedDisk, _ path: FilePath) {
        self.disk = disk
        self.path = path
    }

    deinit {
        disk.state.withLock { _ = $0.locks.remove(path) }
    }
}
