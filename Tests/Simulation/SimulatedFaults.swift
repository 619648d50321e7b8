package import Platform
import Synchronization

// What a test does to a disk from outside. None of it counts as an operation.
extension SimulatedDisk {
    /// Operations so far that change the disk or what is durable on it, those that failed too.
    package var operationCount: Int {
        state.withLock { $0.operations }
    }

    /// Cuts the power once so many operations were made, counted from the first ever: from then on
    /// each operation, reading too, throws EIO and has no effect.
    package func crash(afterOperations count: Int) {
        state.withLock { $0.crashesAfter = count }
    }

    /// Makes one operation to come fail with an error, once. The first ever has the number 1.
    package func failing(atOperation number: Int, errno: Errno) {
        state.withLock { $0.failures[number] = errno }
    }

    /// What the machine finds when it starts again after a power failure now; this disk stays.
    package func afterCrash(seed: UInt64) -> SimulatedDisk {
        let chance = SeededRandomness(seed: seed)
        // Some failures lose everything that can be lost, some nothing, most some of it.
        let odds = chance.below(9)
        let found = state.withLock { state in
            let names = state.names.afterCrash(chance, keepingInEight: odds)
            var found = State()
            // In the order of inodes, so that a seed means the same in each run.
            for inode in names.paths.map(\.inode).sorted() {
                found.files[inode] = state.files[inode]?
                    .afterCrash(chance, keepingInEight: odds)
            }
            found.names = names
            return found
        }
        return SimulatedDisk(found)
    }

    /// The bytes of a file as a process would read them, also when the power is off.
    package func contents(_ path: FilePath) -> [UInt8]? {
        state.withLock { state in
            guard let found = try? state.names.find("open", path) else { return nil }
            return state.files[found]?.bytes
        }
    }

    /// Puts a file there, durably with its name, or changes its bytes; its directory must exist.
    package func setContents(_ path: FilePath, _ bytes: [UInt8]) throws(SystemError) {
        try state.withLock { (state) throws(SystemError) in
            let known = try state.names.find("open", path)
            if let known, state.names.isDirectory(known) {
                throw SystemError("open", path, .isDirectory)
            }
            let inode: Int
            if let known {
                inode = known
            } else {
                inode = try state.names.add("open", path, directory: false)
                let slot = try state.names.slot("open", path)
                state.names.sync(slot)
            }
            state.files[inode] = SimulatedFile(durable: bytes)
        }
    }

    /// Flips bits of one byte where it lies, as a medium does that rots.
    package func corrupt(
        _ path: FilePath, byteAt offset: Int, xor mask: UInt8
    ) throws(SystemError) {
        try state.withLock { (state) throws(SystemError) in
            let inode = try state.names.require("open", path)
            guard let file = state.files[inode], file.bytes.indices.contains(offset) else {
                throw SystemError("open", path, .invalidArgument)
            }
            state.files[inode]?.flip(byteAt: offset, xor: mask)
        }
    }

    /// The paths of all regular files, in order.
    package var files: [FilePath] {
        state.withLock { state in
            state.names.paths.filter { state.files[$0.inode] != nil }.map(\.path)
        }
    }
}
