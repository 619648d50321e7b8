import Platform
import Timeline

/// The journals and WALs that lay in a directory before anything was restored into it.
///
/// SQLite plays such a file into whatever database has the name by then, also into one that was
/// restored as a plain file. Each is told by its inode, so that one that comes from the snapshot is
/// never taken for one that was there.
struct StaleLogs: Sendable {
    static let none = StaleLogs(found: [:])

    private let found: [[UInt8]: UInt64]

    private init(found: [[UInt8]: UInt64]) {
        self.found = found
    }

    init(in directory: TargetDirectory) throws {
        var found: [[UInt8]: UInt64] = [:]
        for name in try Directory.names(in: directory.descriptor, path: directory.path)
        where DatabaseSidecar.logSuffixes.contains(where: { name.hasSuffix($0) })
            && DatabaseSidecar.isLog(name, in: directory.descriptor)
        {
            found[name] = try directory.status(name)?.inode
        }
        self.found = found
    }

    /// Those that SQLite would play into one file.
    func beside(_ name: [UInt8]) -> StaleLogs {
        guard !found.isEmpty else { return .none }
        let names = Set(DatabaseSidecar.logSuffixes.map { name + $0 })
        return StaleLogs(found: found.filter { names.contains($0.key) })
    }

    /// Renames what is still there, so that nothing of it is lost.
    func moveAside(in directory: TargetDirectory, tag: [UInt8], report: RestoreReport) throws {
        for (name, inode) in found where try directory.status(name)?.inode == inode {
            try directory.moveAside(name, tag: tag, report: report)
        }
    }
}

extension TargetDirectory {
    /// Renames what is in the way of a restored database.
    func moveAside(_ name: [UInt8], tag: [UInt8], report: RestoreReport) throws {
        let aside = name + Array(".before-restore".utf8) + tag
        try FileTree.rename(name, in: descriptor, to: aside, in: descriptor)
        report.say(
            .remark(
                path: path.appending(name),
                "was in the way of a restored database; kept as \(FilePath(bytes: aside))"))
    }
}

extension [UInt8] {
    fileprivate func hasSuffix(_ suffix: [UInt8]) -> Bool {
        self.suffix(suffix.count).elementsEqual(suffix)
    }
}
