/// The folders of a repository.
package enum Folder: String, Sendable, CaseIterable {
    case keys, packs, segments, snapshots, marks

    /// What a pack of this folder carries in its header.
    var packCode: UInt8 {
        switch self {
        case .packs: 1
        case .segments: 2
        case .snapshots: 3
        case .keys, .marks: 0
        }
    }

    /// Folders whose files are packs, named by the SHA-256 of their bytes.
    package static let sealed: [Folder] = [.packs, .segments, .snapshots]
}

/// Where a file lies in a repository.
package struct ObjectName: Hashable, Comparable, Sendable, CustomStringConvertible {
    package let folder: Folder
    /// Letters, digits and dashes; 64 hexadecimal digits for sealed folders.
    package let name: String

    package init(_ folder: Folder, _ name: String) {
        self.folder = folder
        self.name = name
    }

    package var description: String { "\(folder.rawValue)/\(name)" }

    package static func < (left: ObjectName, right: ObjectName) -> Bool {
        (left.folder.rawValue, left.name) < (right.folder.rawValue, right.name)
    }
}

/// A file as a listing shows it.
package struct StoredFile: Hashable, Sendable {
    package let name: ObjectName
    package let size: UInt64

    package init(name: ObjectName, size: UInt64) {
        self.name = name
        self.size = size
    }
}
