package import Platform

/// A backup of bytes that come from a pipe instead of files.
package final class ArchiveStream: Sendable {
    package let name: [UInt8]
    let descriptor: Descriptor
    /// Throws where the bytes are not all there were: the command that gave them failed.
    let finish: @Sendable () throws -> Void

    package init(
        name: [UInt8], descriptor: consuming Descriptor,
        finish: @escaping @Sendable () throws -> Void
    ) {
        self.name = name
        self.descriptor = descriptor
        self.finish = finish
    }
}
