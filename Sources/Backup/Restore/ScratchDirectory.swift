package import Platform

/// A directory that was made for a while.
package enum ScratchDirectory {
    /// Removes a directory and all below it, following no link; directories of ours that are
    /// closed to us came from a snapshot.
    package static func remove(_ path: FilePath) throws {
        guard let parent = try TargetDirectory.target(path.parent, create: false) else { return }
        try parent.remove(path.lastComponent, opensClosed: true)
    }
}
