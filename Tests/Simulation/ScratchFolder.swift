import Glibc
package import Platform

/// A real directory that is gone, with all in it, when nobody refers to it any more.
///
/// It lies in memory where there is a file system for it, since tests fill and empty thousands.
package final class ScratchFolder: Sendable {
    package let path: FilePath

    package init() {
        let parent = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp"
        var template = Array("\(parent)/holdfast-scratch-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { fatalError("mkdtemp: \(Errno.current)") }
        path = FilePath(bytes: template.dropLast().map(UInt8.init(bitPattern:)))
    }

    deinit {
        ScratchFolder.empty(path)
        _ = path.withCString { rmdir($0) }
    }

    /// Removes all that lies in a directory.
    package static func empty(_ path: FilePath) {
        guard let directory = try? Descriptor.open(path, flags: O_RDONLY | O_DIRECTORY),
            let names = try? Directory.names(in: directory, path: path)
        else { return }
        for name in names {
            let child = path.appending(name)
            if child.withCString({ unlink($0) }) != 0 {
                empty(child)
                _ = child.withCString { rmdir($0) }
            }
        }
    }

    /// Makes a directory in it and answers its path.
    @discardableResult
    package func folder(_ name: String) throws -> FilePath {
        let path = self.path.appending(name)
        try LinuxDisk().makeDirectory(path)
        return path
    }

    /// Writes a file at a path, whatever was there before.
    package static func write(_ bytes: [UInt8], to path: FilePath) throws {
        let file = try Descriptor.open(path, flags: O_WRONLY | O_CREAT | O_TRUNC, mode: 0o644)
        try bytes.withUnsafeBytes { try file.write($0) }
    }
}
