import Platform

/// What a configuration comes to, in the words of a person.
struct ConfigurationSummary {
    private let configuration: HostConfiguration

    init(_ configuration: HostConfiguration) {
        self.configuration = configuration
    }

    var lines: [String] {
        let repository = configuration.repository
        let unsaid =
            repository.passwordCommand == nil
            ? "password from the command line" : "password by a command"
        let password = repository.passwordFile.map { "password in \($0.value)" } ?? unsaid
        var lines = [
            "node        \(configuration.node ?? ProcessIdentity.hostName())",
            "repository  \(repository.location.value), \(password)",
        ]
        if !configuration.services.isEmpty {
            let interval = DurationText.short(repository.prune ?? WatchUpkeep.standardPrune)
            lines.append("prune       every \(interval) while watched")
        }
        if let data = configuration.data { lines.append("data        \(data.value)") }
        return lines + configuration.services.flatMap(lines(of:))
    }

    private func lines(of service: HostConfiguration.ServiceEntry) -> [String] {
        var lines = ["service     \(service.name)"]
        let seal = DurationText.short(service.seal ?? .seconds(10))
        for path in service.databases {
            lines.append(
                "  database  \(path.value): each commit, in the repository every \(seal)")
        }
        for path in service.trees { lines.append("  tree      \(path.value)") }
        if let schedule = service.schedule {
            lines.append("  snapshot  every \(DurationText.short(schedule))")
        }
        lines.append("  keeps     \(service.keep.words)")
        return lines
    }
}

extension HostConfiguration.KeepEntry {
    /// In the words of a person.
    var words: String {
        let counts = HostConfiguration.KeepEntry.periods.compactMap { period in
            self.counts[period].map { "\($0) \(period)" }
        }
        return "each commit for \(DurationText.short(history)), "
            + (forgets ? "snapshots: " + counts.joined(separator: ", ") : "all snapshots")
    }
}
