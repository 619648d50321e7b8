import Backup
import Codec
import Glibc
import Platform
import Repository

/// What a backup's command line asks for.
struct BackupSources {
    private let parsed: ParsedCommand
    private let context: CommandContext

    init(_ parsed: ParsedCommand, _ context: CommandContext) {
        self.parsed = parsed
        self.context = context
    }

    /// The request, as far as it is known before the repository is open.
    func request() throws -> BackupRequest {
        let stream = try StreamSource(parsed)
        let paths = stream == nil ? try sourcePaths() : []
        let existing = paths.filter(exists)
        if stream == nil, existing.isEmpty {
            throw CommandError(
                .failed,
                "none of the paths exists: \(paths.map(\.description).joined(separator: ", "))",
                hint: "check the paths; nothing was backed up")
        }
        for path in paths where !existing.contains(path) {
            context.report.warning("it does not exist", during: "scan", item: path.bytes)
        }
        for path in existing where isLink(path) {
            context.report.warning(
                "it is a symbolic link; only the link itself is saved, not what it leads to",
                during: "scan", item: path.bytes)
        }
        return BackupRequest(
            paths: stream.map { [$0.path] } ?? existing, missing: paths.count - existing.count,
            stream: stream,
            host: try parsed.text(BackupCommand.SnapshotLabels.host) ?? context.settings.host
                ?? ProcessIdentity.hostName(),
            tags: try tags(), selection: PathSelection(excludes: try excludes()),
            excludesCaches: parsed.has(BackupCommand.SourceSelection.excludeCaches),
            excludesIfPresent: try marks(),
            staysOnFilesystem: parsed.has(BackupCommand.SourceSelection.oneFileSystem),
            treatsDatabasesAsFiles: parsed.has(BackupCommand.noSQLite),
            readsEverything: parsed.has(BackupCommand.force),
            compression: try parsed.choice(BackupCommand.compression, as: CompressionLevel.self)
                ?? context.settings.compression ?? .fast,
            dryRun: parsed.has(BackupCommand.dryRun),
            skipsIfUnchanged: parsed.has(BackupCommand.skipIfUnchanged))
    }

    private func exists(_ path: FilePath) -> Bool {
        do {
            _ = try FileStatus.of(path, followingLinks: false)
            return true
        } catch {
            return error.errno != .noSuchFile && error.errno != .notDirectory
        }
    }

    private func isLink(_ path: FilePath) -> Bool {
        do {
            return try FileStatus.of(path, followingLinks: false).kind == .symbolicLink
        } catch {
            return false  // the walk will meet the error again, and report it
        }
    }

    private func sourcePaths() throws -> [FilePath] {
        var given = parsed.arguments.map { FilePath(bytes: $0) }
        for list in parsed.values(of: BackupCommand.SourceSelection.filesFrom) {
            given += try lines(of: list).map { FilePath(bytes: $0) }
        }
        guard !given.isEmpty else {
            throw CommandError.usage(
                "backup needs at least one path", hint: "say holdfast backup PATH…")
        }
        var paths: [FilePath] = []
        var seen: Set<[UInt8]> = []
        for path in given {
            guard !path.bytes.isEmpty else {
                throw CommandError.usage("a path to back up is empty")
            }
            let absolute = try path.absolute()
            if seen.insert(absolute.bytes).inserted { paths.append(absolute) }
        }
        return paths
    }

    private func lines(of file: [UInt8]) throws -> [[UInt8]] {
        let limit = 256 << 20
        do {
            let bytes =
                file == Array("-".utf8)
                ? try Descriptor.duplicate(of: 0).readAll(limit: limit)
                : try Descriptor.contents(of: FilePath(bytes: file), limit: limit)
            return bytes.split(separator: UInt8(ascii: "\n")).map { Array($0) }
        } catch {
            throw CommandError(
                .failed, "the list of paths cannot be read: \(error)",
                hint: "check the file given by --files-from")
        }
    }

    private func tags() throws -> [String] {
        try parsed.texts(BackupCommand.SnapshotLabels.tag)
            .flatMap { $0.split(separator: ",").map(String.init) }
    }

    private func marks() throws -> [[UInt8]] {
        let marks = parsed.values(of: BackupCommand.SourceSelection.excludeIfPresent)
        for mark in marks {
            let name = mark.prefix { $0 != UInt8(ascii: ":") }
            guard !name.isEmpty, !name.contains(UInt8(ascii: "/")) else {
                throw CommandError.usage(
                    "option --exclude-if-present needs the name of a file, without '/': "
                        + PathText.shown(mark),
                    hint: "say --exclude-if-present NAME, or NAME:HEADER")
            }
        }
        return marks
    }

    private func excludes() throws -> [PathPattern] {
        do {
            var patterns = try parsed.values(of: BackupCommand.SourceSelection.exclude).map {
                try PathPattern($0)
            }
            for file in try parsed.paths(BackupCommand.SourceSelection.excludeFile) {
                patterns += try PatternFile.patterns(
                    in: try Descriptor.contents(of: file, limit: 16 << 20))
            }
            return patterns
        } catch let error as PathPatternError {
            throw CommandError.usage("\(error)")
        } catch let error as SystemError {
            throw CommandError(
                .failed, "the patterns cannot be read: \(error)",
                hint: "check the file given by --exclude-file")
        }
    }
}

/// A backup as it was asked for.
struct BackupRequest {
    let paths: [FilePath]
    /// Paths that were given and are not there.
    let missing: Int
    let stream: StreamSource?
    let host: String
    let tags: [String]
    let selection: PathSelection
    let excludesCaches: Bool
    let excludesIfPresent: [[UInt8]]
    let staysOnFilesystem: Bool
    let treatsDatabasesAsFiles: Bool
    let readsEverything: Bool
    let compression: CompressionLevel
    let dryRun: Bool
    let skipsIfUnchanged: Bool

    /// Sent ahead of the walk while the password is stretched; nil where all is read anyway.
    func scout() -> SourceScout? {
        guard stream == nil, !readsEverything else { return nil }
        return SourceScout(paths, selection: selection, staysOnFilesystem: staysOnFilesystem)
    }

    /// The archiver's request, with what depends on the opened repository.
    func completed(for session: Session, _ context: CommandContext) throws -> ArchiveRequest {
        let lease = try session.writingLease()
        let patience = context.settings.retryLock.map { UInt64($0 / .nanoseconds(1)) } ?? 0
        let name = paths.sorted().reduce(into: Array("backup \(host)".utf8)) {
            $0 += [0] + $1.bytes
        }
        if !dryRun {
            try Claim.take(
                Claim.subject(name, in: session.repository),
                what: "the backup of the same paths", in: session.repository, under: lease,
                patience: patience)
        }
        var request = ArchiveRequest(
            paths: paths, host: host, user: AccountNames().userName(of: geteuid()) ?? "",
            selection: selection, scratch: session.cache, program: Version.program)
        request.tags = tags
        request.excludesCaches = excludesCaches
        request.excludesIfPresent = excludesIfPresent
        request.staysOnFilesystem = staysOnFilesystem
        request.treatsDatabasesAsFiles = treatsDatabasesAsFiles
        request.readsEverything = readsEverything
        request.compression = compression
        request.dryRun = dryRun
        request.skipsIfUnchanged = skipsIfUnchanged
        request.patience = patience
        request.stream = try stream?.open()
        request.forbidden = try context.settings.ownDirectories()
        return request
    }
}

extension CommandSettings {
    /// The repository and its cache, which exist while a session is open.
    func ownDirectories() throws -> Set<FileIdentity> {
        Set(
            try [repository(), cacheDirectory].map {
                FileIdentity(try FileStatus.of($0, followingLinks: true))
            })
    }
}
