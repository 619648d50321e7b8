import Platform
import Timeline

/// What `history` is asked for.
struct HistoryRequest {
    /// Absolute paths of databases; empty for an overview.
    let databases: [[UInt8]]
    let hosts: [String]
    let paths: [[UInt8]]
    let from: Timestamp?
    let to: Timestamp?
    /// Nil for all.
    let limit: Int?
    let listsEpochs: Bool
    let branch: String?

    init(_ parsed: ParsedCommand, _ context: CommandContext) throws {
        databases = try parsed.arguments.map { try FilePath(bytes: $0).absolute().bytes }
        hosts = try parsed.texts(HistoryCommand.host)
        paths = try parsed.paths(HistoryCommand.path).map { try $0.absolute().bytes }
        let reader = TimeReader(now: context.clock.now(), zone: context.zone)
        // Of a time that the clocks showed twice, the bounds include both.
        from = try parsed.text(HistoryCommand.from).flatMap {
            try reader.read($0, of: "option --from").first
        }
        to = try parsed.text(HistoryCommand.to).flatMap {
            try reader.read($0, of: "option --to").last
        }
        if let from, let to, from > to {
            throw CommandError.usage(
                "option --from names a later time than --to", hint: "give the earlier one first")
        }
        let limit = try parsed.number(HistoryCommand.limit, in: 0...1_000_000_000)
        let standard = context.report.voice.isJSON ? 0 : 20
        self.limit = (limit ?? standard) == 0 ? nil : limit ?? standard
        listsEpochs = parsed.has(HistoryCommand.epochs)
        branch = try parsed.text(HistoryCommand.branch)
    }

    /// The streams that were asked for, in the order of their hosts and paths.
    func streams(of index: StreamIndex) -> [Timeline.Stream] {
        index.streams.values.filter { selects($0.identity) }.sorted {
            ($0.identity.host, $0.path.description) < ($1.identity.host, $1.path.description)
        }
    }

    func selects(_ identity: StreamIdentity) -> Bool {
        let path = identity.path
        return (hosts.isEmpty || hosts.contains(identity.host))
            && (databases.isEmpty || databases.contains(path))
            && (paths.isEmpty || paths.contains { FilePath(bytes: path).isAtOrBelow($0) })
    }
}

extension FilePath {
    /// Whether the path is another, or leads below it.
    func isAtOrBelow(_ other: [UInt8]) -> Bool {
        let way = FilePath(bytes: other).components
        return components.starts(with: way)
    }
}
