import Platform
import Repository
import Timeline

/// Compares a configuration with the host: whether what it names is there, and is what it should.
///
/// Databases are not opened; of each file the first 100 bytes are read. Not to be used in a process
/// that has databases open.
struct ConfigurationCheck {
    private let configuration: HostConfiguration
    private let mistakes = ConfigurationMistakes()

    /// The mistakes of a configuration, in the order of its text.
    static func mistakes(in configuration: HostConfiguration) -> [ConfigurationMistake] {
        let check = ConfigurationCheck(configuration: configuration)
        check.repository()
        check.data()
        check.trees()
        check.databases()
        return check.mistakes.all.sorted { $0.place < $1.place }
    }

    private init(configuration: HostConfiguration) {
        self.configuration = configuration
    }

    // MARK: Repository and data

    private func repository() {
        let entry = configuration.repository
        do {
            _ = try RepositoryConfig.read(from: Session.place(in: entry.location.value))
        } catch {
            let hint = (error as? RepositoryError)?.hint
            mistakes.add(
                entry.location.mistake(
                    "\(error)",
                    remedy: hint == nil
                        ? nil : "'holdfast init -r \(entry.location.value)' makes one"))
        }
        if let file = entry.passwordFile { passwordFile(file) }
    }

    private func passwordFile(_ file: Located<FilePath>) {
        guard let status = status(file, followingLinks: true) else { return }
        guard status.kind == .regular else {
            mistakes.add(file.mistake("\(file.value) is a \(status.kind.noun), and no file"))
            return
        }
        if status.size == 0 { mistakes.add(file.mistake("\(file.value) is empty")) }
        if status.permissions & 0o006 != 0 {
            mistakes.add(
                file.mistake(
                    "\(file.value) can be read or written by everybody",
                    remedy: "chmod 600 \(file.value)"))
        }
    }

    private func data() {
        guard let data = configuration.data else { return }
        do {
            // What is not there yet is made.
            guard let status = try FileStatus.ofExisting(data.value) else { return }
            if status.kind != .directory {
                mistakes.add(
                    data.mistake("\(data.value) is a \(status.kind.noun), and no directory"))
            }
        } catch {
            mistakes.add(data.mistake("\(error)"))
        }
    }

    private func status(_ path: Located<FilePath>, followingLinks: Bool) -> FileStatus? {
        do {
            return try FileStatus.of(path.value, followingLinks: followingLinks)
        } catch {
            mistakes.add(path.mistake("\(path.value) cannot be looked at: \(error.errno)"))
            return nil
        }
    }

    // MARK: Services

    private func trees() {
        for service in configuration.services {
            var seen: Set<FilePath> = []
            for tree in service.trees {
                let status = status(tree, followingLinks: false)
                if status?.kind == .symbolicLink {
                    mistakes.add(
                        tree.mistake(
                            "\(tree.value) is a symbolic link, which would be backed up itself",
                            remedy: "name what it leads to"))
                }
                if !seen.insert(tree.value).inserted {
                    mistakes.add(tree.mistake("\(tree.value) is named twice"))
                }
            }
        }
    }

    private func databases() {
        var files: [FileIdentity: Located<FilePath>] = [:]
        var directories: [Located<FilePath>] = []
        for entry in configuration.services.flatMap(\.databases) {
            guard let status = status(entry, followingLinks: false),
                isUsable(entry, status)
            else { continue }
            if let twin = files.updateValue(entry, forKey: FileIdentity(status)) {
                mistakes.add(
                    entry.mistake(
                        "\(entry.value) is the same as \(twin.value) of \(twin.key) in line "
                            + "\(twin.place.line)",
                        remedy: "name it once: a database belongs to one service"))
            }
            if status.kind == .directory { directories.append(entry) }
        }
        for entry in configuration.services.flatMap(\.databases) {
            if let outer = directories.first(where: { entry.value.lies(beneath: $0.value) }) {
                mistakes.add(
                    entry.mistake(
                        "\(entry.value) lies beneath \(outer.value) of \(outer.key) in line "
                            + "\(outer.place.line)",
                        remedy: "name it once: a database belongs to one service"))
            }
        }
    }

    private func isUsable(_ entry: Located<FilePath>, _ status: FileStatus) -> Bool {
        switch status.kind {
        case .directory: return true
        case .regular: return isDatabase(entry)
        case .symbolicLink:
            mistakes.add(
                entry.mistake(
                    "\(entry.value) is a symbolic link",
                    remedy: "name the database itself: SQLite keeps its log beside that"))
        default:
            mistakes.add(
                entry.mistake("\(entry.value) is a \(status.kind.noun), and no database"))
        }
        return false
    }

    private func isDatabase(_ entry: Located<FilePath>) -> Bool {
        do {
            switch try DatabaseDetector.examine(entry.value) {
            case .database: return true
            case .unsupported(let reason):
                mistakes.add(entry.mistake("\(entry.value) cannot be recorded: \(reason)"))
            case .other:
                mistakes.add(
                    entry.mistake(
                        "\(entry.value) does not begin as a SQLite database does",
                        remedy: "let its application make it first, or name it among the trees"))
            }
        } catch {
            mistakes.add(entry.mistake("\(entry.value) cannot be read: \(error.errno)"))
        }
        return false
    }
}

extension FilePath {
    /// Whether it is inside a directory, by its letters.
    func lies(beneath directory: FilePath) -> Bool {
        let (inner, outer) = (components, directory.components)
        return inner.count > outer.count && inner.starts(with: outer)
    }
}
