import Platform

extension ConfigCommand {
    /// Looks a configuration over.
    static func run(_ parsed: ParsedCommand, _ context: CommandContext) throws -> ExitCode {
        let named = parsed.arguments.dropFirst().first.map { FilePath(bytes: $0) }
        let option = try parsed.path(GlobalOptions.config)
        if named != nil, option != nil {
            throw CommandError.usage(
                "two configurations are named", hint: "leave out --config or FILE")
        }
        let path = named ?? option ?? ConfigurationFile.standard
        let (configuration, read) = ConfigurationReader.read(try ConfigurationFile.bytes(path))
        let mistakes = read + (configuration.map(ConfigurationCheck.mistakes) ?? [])
        for mistake in mistakes.sorted(by: { $0.place < $1.place }) {
            context.report.answer(PathText.shown(message: "\(path):" + mistake.line))
            context.report.answer(mistake.json(path))
        }
        guard let configuration, mistakes.isEmpty else {
            throw CommandError(
                .failed, "\(path) has \(Counted.of(UInt64(mistakes.count), "mistake"))")
        }
        for line in ["\(path) is in order"] + ConfigurationSummary(configuration).lines {
            context.report.answer(PathText.shown(message: line))
        }
        context.report.answer(summary(configuration, path))
        return .done
    }

    private static func summary(
        _ configuration: HostConfiguration, _ path: FilePath
    ) -> JSONLine {
        var line = JSONLine("summary")
        line.add("file", path: path.bytes)
        line.add("node", configuration.node ?? ProcessIdentity.hostName())
        line.add(
            "services",
            objects: configuration.services.map { service in
                var object = JSONLine()
                object.add("name", service.name)
                object.add("databases", texts: service.databases.map(\.value.description))
                object.add("trees", texts: service.trees.map(\.value.description))
                return object
            })
        return line
    }
}

extension ConfigurationMistake {
    fileprivate func json(_ path: FilePath) -> JSONLine {
        var line = JSONLine("mistake")
        line.add("file", path: path.bytes)
        line.add("line", UInt64(place.line))
        line.add("column", UInt64(place.column))
        line.add("key", key)
        line.add("message", problem)
        if let remedy { line.add("hint", remedy) }
        return line
    }
}
