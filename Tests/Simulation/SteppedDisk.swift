package import Platform
import Synchronization

/// A disk that says before each step which one it is, from 1.
package final class SteppedDisk: Disk {
    private let disk: SimulatedDisk
    private let before: @Sendable (Int) -> Void
    private let count = Mutex(0)

    package init(_ disk: SimulatedDisk, before: @escaping @Sendable (Int) -> Void) {
        self.disk = disk
        self.before = before
    }

    package var steps: Int { count.withLock { $0 } }

    private func step() {
        before(
            count.withLock { count in
                count += 1
                return count
            })
    }

    package func makeDirectory(_ path: FilePath) throws(SystemError) {
        step()
        try disk.makeDirectory(path)
    }

    package func entries(of directory: FilePath) throws(SystemError) -> [DiskEntry] {
        step()
        return try disk.entries(of: directory)
    }

    package func entry(at path: FilePath) throws(SystemError) -> DiskEntry? {
        step()
        return try disk.entry(at: path)
    }

    package func create(_ path: FilePath) throws(SystemError) -> any DiskWriter {
        step()
        return try disk.create(path)
    }

    package func open(_ path: FilePath) throws(SystemError) -> any DiskReader {
        step()
        return try disk.open(path)
    }

    package func rename(_ from: FilePath, to: FilePath) throws(SystemError) {
        step()
        try disk.rename(from, to: to)
    }

    package func renameExclusively(_ from: FilePath, to: FilePath) throws(SystemError) {
        step()
        try disk.renameExclusively(from, to: to)
    }

    package func remove(_ path: FilePath) throws(SystemError) {
        step()
        try disk.remove(path)
    }

    package func removeDirectory(_ path: FilePath) throws(SystemError) {
        step()
        try disk.removeDirectory(path)
    }

    package func syncDirectory(_ path: FilePath) throws(SystemError) {
        step()
        try disk.syncDirectory(path)
    }

    package func lock(_ path: FilePath) throws(SystemError) -> any DiskLock {
        step()
        return try disk.lock(path)
    }
}
