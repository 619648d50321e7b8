import Glibc

/// A directory that is open, whatever happens to its path.
package final class OpenDirectory: Sendable {
    package let descriptor: Descriptor
    /// Where it was opened, for messages.
    package let path: FilePath

    package init(_ descriptor: consuming Descriptor, _ path: FilePath) {
        self.descriptor = descriptor
        self.path = path
    }

    /// A directory in this one; throws where the name is a link or no directory.
    package func open(_ name: [UInt8]) throws(SystemError) -> OpenDirectory {
        let opened = try Descriptor.open(
            name, in: descriptor, flags: O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
        let path = opened.path ?? path.appending(name)
        return OpenDirectory(opened, path)
    }

    /// The directory that this one lies in now, which need not be the one it was opened from.
    package func above() throws(SystemError) -> OpenDirectory {
        let opened = try Descriptor.openAbove(descriptor)
        let path = opened.path ?? path.parent
        return OpenDirectory(opened, path)
    }

    package func identity() throws(SystemError) -> FileIdentity {
        FileIdentity(try descriptor.status())
    }
}
