package import Codec
package import Platform
import Synchronization

extension SimulatedDisk {
    /// This disk once more, without its locks; what happens to one of them from now on does not
    /// happen to the other.
    package func copy() -> SimulatedDisk {
        var state = state.withLock { $0 }
        state.locks = []
        return SimulatedDisk(state)
    }

    /// What the next process finds when one ends, however it does: all that was written, synced or
    /// not, and nothing fails any more that was ordered to.
    package func afterProcessEnd() -> SimulatedDisk {
        var state = state.withLock { $0 }
        state.locks = []
        state.failures = [:]
        return SimulatedDisk(state)
    }

    /// Tells apart what two disks hold, names and bytes, but for the bytes of files that
    /// `ignoring` picks.
    package func digest(ignoring: (FilePath) -> Bool) -> Digest {
        let hasher = Hasher256()
        hasher.begin()
        for path in files {
            (path.bytes + [0]).withUnsafeBytes { hasher.update($0) }
            let bytes = ignoring(path) ? [] : contents(path) ?? []
            withUnsafeBytes(of: UInt64(bytes.count).littleEndian) { hasher.update($0) }
            bytes.withUnsafeBytes { hasher.update($0) }
        }
        return hasher.finish()
    }
}
