/// Makes a configuration of the text of its file.
///
/// It knows exactly the keys of this version; each other one is a mistake, for a mistyped key must
/// not change silently what is recorded.
package enum ConfigurationReader {
    private static let hostKeys = ["node", "data", "repository", "services"]
    private static let repositoryKeys = ["location", "passwordFile", "passwordCommand", "prune"]
    private static let serviceKeys = [
        "databases", "trees", "schedule", "keep", "seal", "journalLimit", "logLimit",
        "checkpointLock", "whenFull",
    ]
    private static let schedules = Duration.seconds(1)...(.seconds(31_622_400))
    private static let prunes = Duration.seconds(1)...(.seconds(31_622_400))
    private static let seals = Duration.milliseconds(100)...(.seconds(86_400))
    private static let keepKeys = ["history"] + HostConfiguration.KeepEntry.periods

    /// The configuration, and every mistake in it in the order of the text; nil where it cannot be
    /// read as one at all.
    package static func read(
        _ bytes: [UInt8]
    ) -> (configuration: HostConfiguration?, mistakes: [ConfigurationMistake]) {
        let mistakes = ConfigurationMistakes()
        do throws(JSON5Error) {
            let root = try JSON5Parser.parse(bytes)
            let object = ConfigurationObject(root, at: [], knows: hostKeys, mistakes)
            let configuration = object.flatMap(host)
            return (configuration, mistakes.all.sorted { $0.place < $1.place })
        } catch {
            return (nil, [ConfigurationMistake(error)])
        }
    }

    private static func host(_ object: ConfigurationObject) -> HostConfiguration? {
        object.require("repository", "say repository: { location: \"/path\" }")
        let services = object.object("services", knows: nil)
        let entries = services?.objects(knows: serviceKeys).map(service) ?? []
        let node = object.hostName("node")
        let data = object.absolutePath("data")
        let entry = object.object("repository", knows: repositoryKeys)
        guard let repository = entry.flatMap(repository) else { return nil }
        return HostConfiguration(node: node, data: data, repository: repository, services: entries)
    }

    private static func repository(
        _ object: ConfigurationObject
    ) -> HostConfiguration.RepositoryEntry? {
        object.require("location", "say location: \"/path\"")
        let file = object.absolutePath("passwordFile")
        let command = object.text("passwordCommand")
        if file != nil, let command {
            object.add(
                at: command.place, "passwordCommand", "passwordFile says where the password is",
                remedy: "take one of them out")
        }
        let prune = object.duration("prune", in: prunes)
        guard let location = object.absolutePath("location") else { return nil }
        return HostConfiguration.RepositoryEntry(
            location: location, passwordFile: file, passwordCommand: command?.value, prune: prune)
    }

    private static func service(
        _ name: String, _ object: ConfigurationObject
    ) -> HostConfiguration.ServiceEntry {
        var service = HostConfiguration.ServiceEntry(name: name)
        if name.contains(",") {
            object.add(
                nil, "the name of a service has no comma: its snapshots bear it as their label")
        }
        service.databases = object.absolutePaths("databases")
        service.trees = object.absolutePaths("trees")
        service.schedule = object.duration("schedule", in: schedules)
        service.seal = object.duration("seal", in: seals)
        service.journalLimit = object.size("journalLimit", in: 1 << 20...1 << 50)
        service.logLimit = object.size("logLimit", in: 1 << 16...1 << 40)
        if let lock = object.word("checkpointLock", as: WatchCommand.CheckpointLock.self) {
            service.checkpointLock = lock
        }
        if let policy = object.word("whenFull", as: HostConfiguration.WhenFull.self) {
            service.whenFull = policy
        }
        if let keep = object.object("keep", knows: keepKeys) { service.keep = self.keep(keep) }
        if object.value("databases") == nil, object.value("trees") == nil {
            object.add(nil, "this service has neither databases nor trees")
        }
        if object.value("trees") != nil, object.value("schedule") == nil {
            object.add(
                nil, "nobody says how often its trees are backed up",
                remedy: "say schedule: \"15m\"")
        }
        return service
    }

    private static func keep(_ object: ConfigurationObject) -> HostConfiguration.KeepEntry {
        var keep = HostConfiguration.KeepEntry()
        if let history = object.duration("history", in: ConfigurationObject.anyDuration) {
            keep.history = history
        }
        for period in HostConfiguration.KeepEntry.periods {
            keep.counts[period] = object.count(period, in: 0...100_000)
        }
        return keep
    }
}
