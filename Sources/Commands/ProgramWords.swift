import Platform

/// Command lines for another process of this program that works with the same repository.
struct ProgramWords {
    private let program = Array("/proc/self/exe".utf8)
    private let repository: [[UInt8]]

    init(_ settings: CommandSettings) throws(CommandError) {
        var words: [[UInt8]] = [
            Array("--repo".utf8), try settings.repository().bytes, Array("--cache-dir".utf8),
            settings.cacheDirectory.bytes,
        ]
        switch settings.password {
        case .file(let path): words += [Array("--password-file".utf8), path.bytes]
        case .command(let command): words += [Array("--password-command".utf8), command]
        case .none: words.append(Array("--insecure-no-password".utf8))
        case .given: break  // it stands in the environment, which is handed down
        case .terminal:
            throw .usage(
                "a watch that makes snapshots cannot ask for the password each time",
                hint: "say passwordFile or passwordCommand in the configuration")
        }
        repository = words
    }

    func backup(
        of service: HostConfiguration.ServiceEntry, label: String, host: String
    ) -> [[UInt8]] {
        let options = ["--quiet", "--host", host, "--tag", label, "--"].map { Array($0.utf8) }
        let paths = (service.databases + service.trees).map(\.value.bytes)
        return [program, Array("backup".utf8)] + repository + options + paths
    }

    /// Removes those of a service's snapshots that its policy does not keep.
    func forget(
        _ service: HostConfiguration.ServiceEntry, label: String, host: String
    ) -> [[UInt8]] {
        // All that bear its label are one group, also when its paths have changed.
        let options = ["--json", "--host", host, "--tag", label, "--group-by", "host"]
        let rules = HostConfiguration.KeepEntry.periods.flatMap { period in
            service.keep.counts[period].map { ["--keep-\(period)", "\($0)"] } ?? []
        }
        return [program, Array("forget".utf8)] + repository
            + (options + rules).map { Array($0.utf8) }
    }

    /// Frees what nothing needs. Of databases that no service names all history stays: another
    /// host's watch, or a person, looks after it.
    func prune(_ services: [HostConfiguration.ServiceEntry], host: String) -> [[UInt8]] {
        let options = ["--json", "--history-host", host, "--keep-history", "unlimited"]
        let windows = services.flatMap { service in
            service.databases.flatMap { database in
                let age = Array("\(ProgramWords.age(service.keep.history)):".utf8)
                return [Array("--keep-history".utf8), age + database.value.bytes]
            }
        }
        return [program, Array("prune".utf8)] + repository + options.map { Array($0.utf8) }
            + windows
    }

    /// In whole hours, rounded up, so that rather more stays.
    private static func age(_ duration: Duration) -> String {
        let hour: UInt64 = 3_600_000_000_000
        return "\((duration.nanoseconds + hour - 1) / hour)h"
    }
}
