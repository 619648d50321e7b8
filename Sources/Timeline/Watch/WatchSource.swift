package import Platform

/// Something a watch is to record, and how.
package struct WatchSource: Sendable {
    package let path: FilePath
    package let settings: WatchSettings
    /// Whether every database beneath the path is meant, those that come later too.
    package let isDirectory: Bool

    package init(_ path: FilePath, settings: WatchSettings, isDirectory: Bool = false) {
        self.path = path
        self.settings = settings
        self.isDirectory = isDirectory
    }
}
