import Glibc
import Platform
import Testing

/// A directory that is gone, with all in it, at the end of a test.
final class TemporaryDirectory: Sendable {
    let path: FilePath
    let descriptor: Descriptor

    init() throws {
        var template: [CChar] = "/tmp/holdfast-test-XXXXXX".utf8.map(CChar.init) + [0]
        try #require(mkdtemp(&template) != nil)
        path = FilePath(bytes: template.dropLast().map(UInt8.init(bitPattern:)))
        descriptor = try Descriptor.open(path, flags: O_RDONLY | O_DIRECTORY)
    }

    deinit {
        TemporaryDirectory.empty(path)
        _ = path.withCString { rmdir($0) }
    }

    private static func empty(_ path: FilePath) {
        guard let directory = try? Descriptor.open(path, flags: O_RDONLY | O_DIRECTORY),
            let names = try? Directory.names(in: directory, path: path)
        else { return }
        for name in names {
            if (try? FileTree.remove(name, in: directory)) == nil {
                empty(path.appending(name))
                try? FileTree.removeDirectory(name, in: directory)
            }
        }
    }

    /// Makes a file with these bytes; answers its name.
    @discardableResult
    func file(_ name: String, _ bytes: [UInt8] = []) throws -> [UInt8] {
        let file = try Descriptor.open(
            Array(name.utf8), in: descriptor, flags: O_WRONLY | O_CREAT | O_EXCL)
        try bytes.withUnsafeBytes { try file.write($0) }
        return Array(name.utf8)
    }

    func contents(_ name: String) throws -> [UInt8] {
        try Descriptor.contents(of: path.appending(name), limit: 1 << 24)
    }
}

extension String {
    var bytes: [UInt8] { Array(utf8) }
}

/// The errno of what a step throws; nil when it throws none.
func errno(of step: () throws -> Void) throws -> Errno? {
    do {
        try step()
        return nil
    } catch let error as SystemError {
        return error.errno
    }
}
