import Platform
import Repository

/// What belongs to a service, as the configuration names it.
struct ServiceScope {
    let name: String
    /// Databases, and directories of databases.
    private let databases: [FilePath]
    private let trees: [FilePath]

    init(_ service: HostConfiguration.ServiceEntry) {
        name = service.name
        databases = service.databases.map(\.value)
        trees = service.trees.map(\.value)
    }

    /// The service with that name; throws where there is none, or no configuration.
    static func named(_ name: String, in settings: CommandSettings) throws -> ServiceScope {
        guard let configuration = settings.configuration?.content else {
            throw CommandError.usage(
                "option --service needs a configuration", hint: "name it with --config FILE")
        }
        guard let service = configuration.services.first(where: { $0.name == name }) else {
            let names = configuration.services.map(\.name).joined(separator: ", ")
            throw CommandError.usage(
                "there is no service \(PathText.shown(Array(name.utf8)))",
                hint: names.isEmpty
                    ? "the configuration has no services" : "the services are \(names)")
        }
        return ServiceScope(service)
    }

    /// Whether a database is named itself, and not found in a directory.
    func names(_ path: [UInt8]) -> Bool { databases.contains { $0.bytes == path } }

    /// Whether a database is the service's.
    func holds(_ path: [UInt8]) -> Bool {
        let components = FilePath(bytes: path).components
        return databases.contains { components.starts(with: $0.components) }
    }

    /// Whether a snapshot is one of the service: by its label, or since it has all of the service's
    /// paths and no others.
    func isRecorded(by snapshot: Snapshot) -> Bool {
        snapshot.tags.contains(WatchSchedule.label(of: name))
            || Set(snapshot.paths) == Set((databases + trees).map(\.bytes))
    }
}
