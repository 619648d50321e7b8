import Platform
import Repository
import Timeline

/// What `restore --at` or `--position` asks for.
struct MomentRequest {
    enum Goal {
        /// Two where the clocks showed the time twice.
        case moments([Timestamp])
        case position(Position)
    }

    let goal: Goal
    /// Absolute paths; empty for all databases.
    let databases: [[UInt8]]
    let hosts: [String]
    let branch: String?
    /// What is restored instead of all that is recorded.
    let service: ServiceScope?

    /// Nil where a snapshot is asked for.
    init?(_ parsed: ParsedCommand, _ context: CommandContext) throws {
        let at = try parsed.text(RestoreCommand.at)
        let position = try parsed.text(RestoreCommand.position)
        databases = try parsed.paths(RestoreCommand.database).map { try $0.absolute().bytes }
        branch = try parsed.text(RestoreCommand.branch)
        service = try parsed.text(RestoreCommand.service).map {
            try ServiceScope.named($0, in: context.settings)
        }
        let own = context.settings.host ?? ProcessIdentity.hostName()
        let named = try parsed.texts(LatestFilter.host)
        hosts = named.isEmpty && service != nil ? [own] : named
        switch (at, position) {
        case (nil, nil):
            guard databases.isEmpty, branch == nil, service == nil else {
                throw CommandError.usage(
                    "options --database, --service and --branch go with --at or --position only")
            }
            return nil
        case (.some, .some):
            throw CommandError.usage("options --at and --position exclude each other")
        case (let time?, nil):
            let reader = TimeReader(now: context.clock.now(), zone: context.zone)
            goal = .moments(try reader.read(time, of: "option --at"))
        case (nil, let text?):
            goal = .position(try MomentRequest.position(text))
        }
        guard databases.isEmpty || service == nil else {
            throw CommandError.usage("options --database and --service exclude each other")
        }
        guard parsed.arguments.isEmpty else {
            throw CommandError.usage(
                "options --at and --position find what they need by themselves; leave SNAPSHOT out",
                hint: "choose with --include, --exclude, --path, --database or --service")
        }
        guard !parsed.has(RestoreCommand.delete) else {
            throw CommandError.usage("option --delete cannot go with --at or --position")
        }
    }

    /// All streams of the hosts, and of the service, that were named, in the order of their paths.
    func streams(of index: StreamIndex) -> [Timeline.Stream] {
        index.streams.values.filter { concerns($0.identity) }.sorted {
            ($0.identity.host, $0.path.description) < ($1.identity.host, $1.path.description)
        }
    }

    private static func position(_ text: String) throws(CommandError) -> Position {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false).map {
            $0.utf8.allSatisfy { (0x30...0x39).contains($0) } ? UInt64($0) : nil
        }
        guard parts.count == 2, let epoch = parts[0], let sequence = parts[1] else {
            throw .usage(
                "option --position is no position: \(PathText.shown(Array(text.utf8)))",
                hint: "write EPOCH/SEQUENCE as 'holdfast history' shows it, such as 1/900")
        }
        return Position(epoch: epoch, sequence: sequence)
    }
}

extension MomentRequest {
    /// Whether what belongs to a host and a path may be asked for.
    func concerns(_ identity: StreamIdentity) -> Bool {
        (hosts.isEmpty || hosts.contains(identity.host)) && service?.holds(identity.path) ?? true
    }
}
