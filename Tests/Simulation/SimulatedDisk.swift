// A disk in memory that loses what was not synced, after the model of SQLite's test6.c.
//
// At a power failure each of these is kept or lost for itself, as a seed decides:
//   - each write since its file was last synced: kept, dropped, torn at a multiple of 512 bytes, or
//     found as zeros;
//   - each name that was made, moved or removed since its directory was last synced.
// A move is atomic: either name holds the file, never both or none. Syncing either of its
// directories makes it durable. Steps on the same name or file survive in their order. Syncing a
// file keeps its data, not its name; syncing a directory keeps the names in it, not its own, and
// not the data of the files that have them.
//
// An operation that fails by injection has no effect, but that a write may have put down its first
// half, and that a sync which failed once can never succeed.

package import Platform
import Synchronization

/// The file system of a simulated machine; paths start at its root, relative ones too.
package final class SimulatedDisk: Disk {
    struct State {
        var names = SimulatedNames()
        var files: [Int: SimulatedFile] = [:]
        var operations = 0
        var crashesAfter = Int.max
        var failures: [Int: Errno] = [:]
        /// Locks that are held; a power failure takes them, and their files are not simulated.
        var locks: Set<FilePath> = []

        func checkPower(_ operation: String, _ path: FilePath) throws(SystemError) {
            if operations >= crashesAfter { throw SystemError(operation, path, .inputOutput) }
        }

        /// Counts an operation; answers the failure that was ordered for it.
        mutating func count(_ operation: String, _ path: FilePath) throws(SystemError) -> Errno? {
            try checkPower(operation, path)
            operations += 1
            return failures.removeValue(forKey: operations)
        }
    }

    let state: Mutex<State>

    package init() {
        state = Mutex(State())
    }

    init(_ state: sending State) {
        self.state = Mutex(state)
    }

    /// Runs one operation that changes the disk.
    private func change<R: Sendable>(
        _ operation: String, _ path: FilePath, _ step: (inout State) throws(SystemError) -> R
    ) throws(SystemError) -> R {
        try state.withLock { (state) throws(SystemError) -> R in
            if let failure = try state.count(operation, path) {
                throw SystemError(operation, path, failure)
            }
            return try step(&state)
        }
    }

    /// Runs one operation that only looks.
    private func look<R: Sendable>(
        _ operation: String, _ path: FilePath, _ step: (State) throws(SystemError) -> R
    ) throws(SystemError) -> R {
        try state.withLock { (state) throws(SystemError) -> R in
            try state.checkPower(operation, path)
            return try step(state)
        }
    }

    package func makeDirectory(_ path: FilePath) throws(SystemError) {
        try change("mkdir", path) { (state) throws(SystemError) in
            _ = try state.names.add("mkdir", path, directory: true)
        }
    }

    package func entries(of directory: FilePath) throws(SystemError) -> [DiskEntry] {
        try look("readdir", directory) { (state) throws(SystemError) in
            let inode = try state.names.require("readdir", directory)
            guard let names = state.names.directories[inode] else {
                throw SystemError("readdir", directory, .notDirectory)
            }
            return names.compactMap { name, inode in
                String(validating: name, as: UTF8.self).map { state.entry(named: $0, inode) }
            }
        }
    }

    package func entry(at path: FilePath) throws(SystemError) -> DiskEntry? {
        try look("stat", path) { (state) throws(SystemError) -> DiskEntry? in
            let name = String(decoding: path.lastComponent, as: UTF8.self)
            do throws(SystemError) {
                return try state.names.find("stat", path).map { state.entry(named: name, $0) }
            } catch let error where error.errno == .noSuchFile {
                return nil
            }
        }
    }

    package func create(_ path: FilePath) throws(SystemError) -> any DiskWriter {
        let inode = try change("open", path) { (state) throws(SystemError) in
            let inode = try state.names.add("open", path, directory: false)
            state.files[inode] = SimulatedFile()
            return inode
        }
        return SimulatedDiskWriter(self, inode, path)
    }

    package func open(_ path: FilePath) throws(SystemError) -> any DiskReader {
        let bytes = try look("open", path) { (state) throws(SystemError) in
            let inode = try state.names.require("open", path)
            guard let file = state.files[inode] else {
                throw SystemError("open", path, .isDirectory)
            }
            return file.bytes
        }
        return SimulatedDiskReader(self, bytes, path)
    }

    package func rename(_ from: FilePath, to: FilePath) throws(SystemError) {
        try change("rename", from) { (state) throws(SystemError) in
            try state.names.move(from, to: to, exclusively: false)
        }
    }

    package func renameExclusively(_ from: FilePath, to: FilePath) throws(SystemError) {
        try change("rename", from) { (state) throws(SystemError) in
            try state.names.move(from, to: to, exclusively: true)
        }
    }

    package func remove(_ path: FilePath) throws(SystemError) {
        try change("unlink", path) { (state) throws(SystemError) in
            try state.names.remove("unlink", path, directory: false)
        }
    }

    package func removeDirectory(_ path: FilePath) throws(SystemError) {
        try change("rmdir", path) { (state) throws(SystemError) in
            try state.names.remove("rmdir", path, directory: true)
        }
    }

    package func syncDirectory(_ path: FilePath) throws(SystemError) {
        try change("fsync", path) { (state) throws(SystemError) in
            let inode = try state.names.require("fsync", path)
            guard state.names.isDirectory(inode) else {
                throw SystemError("fsync", path, .notDirectory)
            }
            state.names.sync(directory: inode)
        }
    }

    package func lock(_ path: FilePath) throws(SystemError) -> any DiskLock {
        try state.withLock { (state) throws(SystemError) in
            try state.checkPower("lock", path)
            guard state.locks.insert(path).inserted else {
                throw SystemError("lock", path, .wouldBlock)
            }
        }
        return SimulatedDiskLock(self, path)
    }
}

extension SimulatedDisk.State {
    fileprivate func entry(named name: String, _ inode: Int) -> DiskEntry {
        guard let file = files[inode] else {
            return DiskEntry(name: name, kind: .directory, size: 0)
        }
        return DiskEntry(name: name, kind: .regular, size: UInt64(file.bytes.count))
    }
}
