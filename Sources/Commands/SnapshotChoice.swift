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

/// The snapshot that a command line names, where `--host`, `--path` and `--tag` say which is the
/// latest; an id means that snapshot whatever they say.
struct LatestChoice {
    private let selection: SnapshotSelection

    init(_ parsed: ParsedCommand) throws {
        selection = try SnapshotSelection(
            parsed, host: LatestFilter.host, path: LatestFilter.path, tag: LatestFilter.tag)
    }

    func choose(
        _ text: [UInt8], in session: Session, _ context: CommandContext
    ) throws -> SnapshotChoice {
        let all = try session.snapshots(context)
        let asksForLatest = text.starts(with: "latest".utf8)
        let candidates = asksForLatest ? all.filter { selection.selects($0.snapshot) } : all
        guard !candidates.isEmpty else { throw nothingToChoose(all.count) }
        return try SnapshotChoice(text, among: candidates, in: session.repository)
    }

    private func nothingToChoose(_ count: Int) -> CommandError {
        guard count > 0 else {
            return CommandError(
                .failed, "there is no snapshot yet", hint: "make one with 'holdfast backup PATH'")
        }
        return CommandError(
            .failed,
            "no snapshot is what --host, --path and --tag ask for, of "
                + "\(Counted.of(UInt64(count), "snapshot")) there",
            hint: "list them with 'holdfast snapshots'")
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
        tag: OptionDescription
    ) throws {
        hosts = try parsed.texts(host)
        paths = try parsed.paths(path).map { try $0.absolute().bytes }
        tagSets = try parsed.texts(tag).map {
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
