import Codec
import Platform
import Repository
import Timeline

/// What a watch is to record, from its command line or from a configuration.
struct WatchPlan {
    /// A path to record, and the service it belongs to, if any.
    private struct Entry {
        let path: FilePath
        let isDirectory: Bool
        let service: HostConfiguration.ServiceEntry?
    }

    /// The services of the configuration; none where databases are named.
    let services: [HostConfiguration.ServiceEntry]
    /// Between two prunes.
    let pruneInterval: Duration
    let host: String
    private let entries: [Entry]
    private let data: FilePath
    private let common: WatchSettings
    private let lock: WatchCommand.CheckpointLock?
    private let hasSeal: Bool
    private let context: CommandContext

    /// Throws a usage error where nothing is to be recorded, or something cannot be.
    init(_ parsed: ParsedCommand, _ context: CommandContext) throws {
        self.context = context
        host =
            try parsed.text(WatchCommand.host) ?? context.settings.host
            ?? ProcessIdentity.hostName()
        let configuration = context.settings.configuration?.content
        let data =
            try parsed.path(WatchCommand.data) ?? configuration?.data?.value
            ?? StateLocation.standard(.ofProcess())
        self.data = try data.absolute()
        var settings = WatchSettings(host: host, directory: data)
        settings.compression =
            try parsed.choice(BackupCommand.compression, as: CompressionLevel.self)
            ?? context.settings.compression ?? .fast
        let seal = try parsed.duration(WatchCommand.seal)
        if let seal { settings.sealInterval = seal.nanoseconds }
        hasSeal = seal != nil
        if let interval = try parsed.duration(WatchCommand.selfCheck) {
            settings.selfCheck = interval.nanoseconds
        }
        lock = try parsed.choice(
            WatchCommand.checkpointLock, as: WatchCommand.CheckpointLock.self)
        common = settings
        services = parsed.arguments.isEmpty ? configuration?.services ?? [] : []
        pruneInterval = configuration?.repository.prune ?? WatchUpkeep.standardPrune
        entries =
            try parsed.arguments.isEmpty
            ? WatchPlan.entries(of: services, context) : WatchPlan.entries(named: parsed.arguments)
        guard !entries.isEmpty || services.contains(where: { $0.schedule != nil }) else {
            throw CommandError.usage(
                "watch needs a database",
                hint: "say holdfast watch DB…, or holdfast watch --config FILE")
        }
    }

    // MARK: Entries

    private static func entries(named arguments: [[UInt8]]) throws -> [Entry] {
        var entries: [Entry] = []
        var seen: [FileIdentity: FilePath] = [:]
        for argument in arguments {
            let path = try FilePath(bytes: argument).absolute()
            let status: FileStatus
            do {
                status = try FileStatus.of(path, followingLinks: false)
            } catch {
                throw CommandError(
                    .failed, "cannot watch \(path): \(error.errno)", hint: "check the path")
            }
            entries.append(try entry(path, status, of: nil, &seen))
        }
        return entries
    }

    /// What a service names may come later: the watch is there first when a host starts.
    private static func entries(
        of services: [HostConfiguration.ServiceEntry], _ context: CommandContext
    ) throws -> [Entry] {
        var entries: [Entry] = []
        var seen: [FileIdentity: FilePath] = [:]
        for service in services {
            for path in service.databases.map(\.value) {
                do {
                    let status = try FileStatus.of(path, followingLinks: false)
                    entries.append(try entry(path, status, of: service, &seen))
                } catch let error as SystemError {
                    context.report.warning(
                        "\(error.errno); it is recorded once it is there", during: "watch",
                        item: path.bytes)
                    entries.append(Entry(path: path, isDirectory: false, service: service))
                }
            }
        }
        return entries
    }

    private static func entry(
        _ path: FilePath, _ status: FileStatus, of service: HostConfiguration.ServiceEntry?,
        _ seen: inout [FileIdentity: FilePath]
    ) throws(CommandError) -> Entry {
        guard status.kind == .regular || status.kind == .directory else {
            throw CommandError(
                .failed, "cannot watch \(path): it is no regular file",
                hint: status.kind == .symbolicLink
                    ? "name the database itself: SQLite keeps its log beside that"
                    : "name a SQLite database, or a directory of them")
        }
        if let twin = seen.updateValue(path, forKey: FileIdentity(status)) {
            throw .usage("\(path) is the same file as \(twin)", hint: "name it once")
        }
        return Entry(path: path, isDirectory: status.kind == .directory, service: service)
    }

    // MARK: The watch

    /// Where journals of databases in a repository lie.
    func journals(of repository: Repository) -> FilePath {
        data.appending("journals").appending(repository.identity)
    }

    func sources(journals: FilePath) -> [WatchSource] {
        entries.map { entry in
            WatchSource(
                entry.path, settings: settings(of: entry.service, journals: journals),
                isDirectory: entry.isDirectory)
        }
    }

    /// Where nobody looks for databases: what is our own.
    func excluded() throws -> Set<FileIdentity> {
        var own = try context.settings.ownDirectories()
        if let status = try FileStatus.ofExisting(data) { own.insert(FileIdentity(status)) }
        return own
    }

    private func settings(
        of service: HostConfiguration.ServiceEntry?, journals: FilePath
    ) -> WatchSettings {
        var settings = common
        settings.directory = journals
        if let seal = service?.seal, !hasSeal { settings.sealInterval = seal.nanoseconds }
        if let limit = service?.journalLimit { settings.journalLimit = limit }
        if let limit = service?.logLimit { settings.logLimit = limit }
        if lock ?? service?.checkpointLock == .never { settings.logLimit = nil }
        return settings
    }
}

extension Duration {
    /// Whole nanoseconds, up to a hundred years: what is added to them is no overflow.
    var nanoseconds: UInt64 { UInt64(min(max(0, self / .nanoseconds(1)), 3.2e18)) }
}
