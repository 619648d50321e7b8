import Glibc
import Platform

/// A directory that is gone when the test is.
final class Scratch {
    let path: FilePath

    init() {
        var template = Array("/tmp/holdfast-sqlite-XXXXXX".utf8CString)
        mkdtemp(&template)
        path = FilePath(String(decoding: template.dropLast().map(UInt8.init), as: UTF8.self))
    }

    deinit {
        for name in names { remove(path.appending(name).description) }
        rmdir(path.description)
    }

    var names: [String] {
        guard let directory = path.withCString({ opendir($0) }) else { return [] }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }
}
