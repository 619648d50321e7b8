import Glibc
import Platform

/// The package as it lies on disk.
enum House {
    /// The directory that holds `Package.swift`.
    static let root = FilePath(#filePath).parent.parent.parent

    /// One text file, by its path from the root.
    struct File: Sendable, CustomStringConvertible {
        let path: String
        let lines: [String]

        var text: String { lines.joined(separator: "\n") }
        var description: String { path }
        /// The name without folders.
        var name: String { path.split(separator: "/").last.map(String.init) ?? path }
        /// The folder right below the first: the module of a source file.
        var module: String { String(path.split(separator: "/").dropFirst().first ?? "") }
    }

    /// A place in a file, as a compiler would name it.
    static func place(_ file: File, _ index: Int) -> String { "\(file.path):\(index + 1)" }

    /// Names in the root, but those that begin with a dot.
    static func topLevel() throws -> Set<String> {
        Set(try names(in: root).filter { !$0.hasPrefix(".") })
    }

    /// All files with an ending below one of some folders.
    static func files(_ ending: String, in folders: String...) throws -> [File] {
        try folders.flatMap { try paths(below: $0) }
            .filter { $0.hasSuffix(ending) }.sorted()
            .map { try file($0) }
    }

    static func file(_ path: String) throws -> File {
        let bytes = try Descriptor.contents(of: root.appending(path), limit: 1 << 24)
        var lines = String(decoding: bytes, as: UTF8.self)
            .split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        if lines.last?.isEmpty == true { lines.removeLast() }
        return File(path: path, lines: lines)
    }

    static func exists(_ path: String) -> Bool {
        (try? FileStatus.of(root.appending(path), followingLinks: true)) != nil
    }

    /// Files and folders below a folder, by their paths from the root.
    static func paths(below folder: String) throws -> [String] {
        var found: [String] = []
        var folders = [folder]
        while let next = folders.popLast() {
            for name in try names(in: root.appending(next)) where !name.hasPrefix(".") {
                let path = next + "/" + name
                found.append(path)
                let status = try FileStatus.of(root.appending(path), followingLinks: false)
                if status.kind == .directory { folders.append(path) }
            }
        }
        return found
    }

    private static func names(in folder: FilePath) throws -> [String] {
        let directory = try Descriptor.open(folder, flags: O_RDONLY | O_DIRECTORY)
        return try Directory.names(in: directory, path: folder)
            .map { String(decoding: $0, as: UTF8.self) }
    }
}

extension String {
    /// What stands between this text's `opening`s and the next `closing` behind each.
    func parts(between opening: String, and closing: String) -> [String] {
        var found: [String] = []
        var rest = self[...]
        while let start = rest.firstRange(of: opening) {
            rest = rest[start.upperBound...]
            guard let end = rest.firstRange(of: closing) else { break }
            found.append(String(rest[..<end.lowerBound]))
            rest = rest[end.upperBound...]
        }
        return found
    }

    var trimmed: String {
        let front = drop { $0.isWhitespace }
        return String(front.reversed().drop { $0.isWhitespace }.reversed())
    }
}
