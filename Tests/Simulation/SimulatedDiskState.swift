package import Codec
package import Platform
import Synchronization

extension SimulatedDisk {
    /// This disk once more; what happens to one of them from now on does not happen to the other.
    package func copy() -> SimulatedDisk {
        let state = state.withLock { $0 }
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
