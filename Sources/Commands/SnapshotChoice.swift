import Backup
import Platform
import Repository

/// A snapshot, or a part of one, as the command line names it: `ID`, `latest~2`, `ID:/sub/dir`.
struct SnapshotChoice {
    let snapshot: StoredSnapshot
    /// The part, `/` for all of it.
    let path: FilePath

    init(
        _ text: [UInt8], among snapshots: [StoredSnapshot], in repository: Repository
    ) throws {
        let parts = text.split(separator: UInt8(ascii: ":"), maxSplits: 1)
        let name = String(decoding: parts.first ?? [], as: UTF8.self)
        snapshot = try repository.find(name, among: snapshots)
        let rest = parts.count == 2 ? Array(parts[1]) : [UInt8(ascii: "/")]
        guard rest.first == UInt8(ascii: "/") else {
            throw CommandError.usage(
                "the part of a snapshot must begin with '/': \(PathText.shown(text))",
                hint: "write \(name):/sub/dir")
        }
        path = try FilePath(bytes: rest).absolute()
    }
}

/// Which snapshots a command looks at.
struct SnapshotSelection {
    private let hosts: [String]
    private let paths: [[UInt8]]
    private let tagSets: [Set<String>]

    /// - Parameters: the options of the command by which it chooses.
    init(
        _ parsed: ParsedCommand, host: OptionDescription, path: OptionDescription,
        tag: OptionDescription? = nil
    ) throws {
        hosts = try parsed.texts(host)
        paths = try parsed.paths(path).map { try $0.absolute().bytes }
        tagSets = try (tag.map { try parsed.texts($0) } ?? []).map {
            Set($0.split(separator: ",").map(String.init))
        }
    }

    func selects(_ snapshot: Snapshot) -> Bool {
        (hosts.isEmpty || hosts.contains(snapshot.host))
            && paths.allSatisfy(snapshot.paths.contains)
            && (tagSets.isEmpty || tagSets.contains { $0.isSubset(of: snapshot.tags) })
    }
}

extension Session {
    /// The readable snapshots, oldest first; each damaged one is a warning.
    func snapshots(_ context: CommandContext) throws -> [StoredSnapshot] {
        let (readable, damaged) = try repository.snapshots()
        for (name, reason) in damaged {
            context.report.warning("\(reason)", during: "reading \(name)")
        }
        return readable
    }
}
