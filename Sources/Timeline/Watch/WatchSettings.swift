package import Codec
package import Platform

/// How a watch works.
package struct WatchSettings: Sendable {
    package var host: String
    /// Where journals and marks lie: one folder a repository beneath it.
    package var directory: FilePath
    package var compression: CompressionLevel = .fast
    /// Nanoseconds after which journals are sealed into the repository.
    package var sealInterval: UInt64 = 10_000_000_000
    /// Bytes of a journal after which it is sealed at once.
    package var sealBytes: UInt64 = 16 << 20
    /// Bytes a journal may have while the repository cannot be written.
    package var journalLimit: UInt64 = 1 << 30
    /// Bytes of a WAL after which its writers are held up for a moment to begin it anew; nil for
    /// never.
    package var logLimit: UInt64? = 16 << 20
    /// Nanoseconds between two restores of a random recent state.
    package var selfCheck: UInt64 = 600_000_000_000

    package init(host: String, directory: FilePath) {
        self.host = host
        self.directory = directory
    }
}
