package import Codec
package import Platform
import Repository

/// What a backup is to do.
package struct ArchiveRequest: Sendable {
    /// Absolute paths to back up.
    package var paths: [FilePath]
    package var host: String
    package var user: String
    package var tags: [String] = []
    /// What is left out, by path.
    package var selection: PathSelection
    /// Leaves out the content of directories with a valid `CACHEDIR.TAG`.
    package var excludesCaches = false
    /// Leaves out the content of directories that hold one of these names.
    package var excludesIfPresent: [[UInt8]] = []
    /// Does not go into other filesystems.
    package var staysOnFilesystem = false
    /// Treats databases as plain files.
    package var treatsDatabasesAsFiles = false
    /// Reads all files, also those that have not changed.
    package var readsEverything = false
    package var compression = CompressionLevel.fast
    package var dryRun = false
    /// Writes no snapshot where it would equal its parent.
    package var skipsIfUnchanged = false
    /// Directories that are never walked: the repository itself, and its cache.
    package var forbidden: Set<FileIdentity> = []
    /// Bytes to back up instead of paths.
    package var stream: ArchiveStream?
    /// Goes ahead of the walk, where one was sent.
    package var scout: SourceScout?
    /// A directory for nameless files.
    package var scratch: FilePath
    /// Nanoseconds to wait for another writer of the same database's stream.
    package var patience: UInt64 = 0
    /// The program's name and version.
    package var program: String

    package init(
        paths: [FilePath], host: String, user: String, selection: PathSelection,
        scratch: FilePath, program: String
    ) {
        self.paths = paths
        self.host = host
        self.user = user
        self.selection = selection
        self.scratch = scratch
        self.program = program
    }
}
