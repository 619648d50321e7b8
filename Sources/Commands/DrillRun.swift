import Backup
import Codec
import Glibc
import Platform
import Repository
import Synchronization

/// Where a drill restores to: a directory of its own, removed afterwards.
struct DrillPlace {
    let path: FilePath

    init(_ parent: FilePath?) throws {
        let base = try parent?.absolute() ?? DrillPlace.temporaryDirectory
        path = base.appending("holdfast-drill-\(SystemRandomness().bytes(8).hex)")
    }

    private static var temporaryDirectory: FilePath {
        // TMPDIR is the system's word for where temporary files go; see environ(7).
        guard let value = getenv("TMPDIR") else { return FilePath("/var/tmp") }
        return FilePath(String(cString: value))
    }

    func with<R>(_ body: (FilePath) throws -> R) throws -> R {
        do {
            try LinuxDisk().makeDirectory(path)
        } catch {
            throw CommandError(
                .failed, "the drill has no place to restore to: \(error)",
                hint: "give a directory with room for a snapshot by --drill-target")
        }
        do {
            let result = try body(path)
            try ScratchDirectory.remove(path)
            return result
        } catch {
            try ScratchDirectory.remove(path)
            throw error
        }
    }
}

/// Drills the newest snapshot of each host and set of paths, and writes evidence.
struct DrillRun {
    private let session: Session
    private let context: CommandContext

    init(_ session: Session, _ context: CommandContext) {
        self.session = session
        self.context = context
    }

    /// Whether everything was proven.
    func run(in place: DrillPlace) throws -> Bool {
        var newest: [String: StoredSnapshot] = [:]
        for stored in try session.snapshots(context) {
            newest[stored.snapshot.host + "\0" + stored.snapshot.paths.description] = stored
        }
        var results: [DrillResult] = []
        for stored in newest.values.sorted(by: { $0.snapshot.time < $1.snapshot.time }) {
            let absences = Absences()
            let result = try place.with { try drill(stored, in: $0, absences) }
            tell(result, absences)
            results.append(result)
        }
        if results.isEmpty { context.report.note("there is no snapshot to drill") }
        try writeEvidence(results)
        return results.allSatisfy(\.isProven)
    }

    private func drill(
        _ stored: StoredSnapshot, in scratch: FilePath, _ absences: Absences
    ) throws -> DrillResult {
        let drill = Drill(session.repository, scratch: scratch) { Interruption.isRequested }
        do {
            return try drill.run(stored, report: report(scratch, absences))
        } catch let error as SystemError where error.isLackOfRoom {
            // A full disk says nothing about the repository.
            throw CommandError(
                .failed,
                "the drill of snapshot \(stored.shortID), "
                    + "\(ByteCountText.shown(stored.snapshot.totals.bytes)), did not end: there is "
                    + "no room for it in \(scratch.parent): \(error.errno)",
                hint: "give a directory with more room by --drill-target DIR")
        }
    }

    /// Names each problem by its path in the snapshot.
    private func report(_ scratch: FilePath, _ absences: Absences) -> RestoreReport {
        RestoreReport { [report = context.report] notice in
            switch notice {
            case .absent(let path, _): absences.add(scratch.inner(path))
            case .problem(let path, let during, let reason):
                report.warning(
                    "drill, \(during): \(reason)", during: "verify", item: scratch.inner(path))
            case .epoch, .item, .remark: break
            }
        }
    }

    private func tell(_ result: DrillResult, _ absences: Absences) {
        let counts = result.counts
        let seconds = (result.restoreSeconds * 10).rounded() / 10
        context.report.note(
            "drill of snapshot \(result.snapshot.shortID): restored "
                + "\(Counted.of(counts.files, "file")) and "
                + "\(Counted.of(counts.databases, "database")), "
                + "\(ByteCountText.shown(counts.bytes)), in "
                + "\(seconds) s; compared \(ByteCountText.shown(counts.verifiedBytes)) "
                + "with their ids"
        )
        for database in result.databases {
            context.report.note("integrity check of \(database.path): \(database.integrity)")
        }
        let absence = absences.text.map { ", \($0)" } ?? ""
        context.report.note(
            result.isProven ? "proven: it comes back\(absence)" : "NOT proven, see above\(absence)")
        context.report.answer(json(result))
    }

    private func json(_ result: DrillResult) -> JSONLine {
        var line = JSONLine("drill")
        line.add("snapshot_id", result.snapshot.id.hex)
        line.add("time", TimeText.rfc3339(context.clock.now(), in: context.zone))
        line.add("proven", result.isProven)
        line.add("files_restored", result.counts.files)
        line.add("databases_restored", result.counts.databases)
        line.add("bytes_restored", result.counts.bytes)
        line.add("bytes_verified", result.counts.verifiedBytes)
        line.add("restore_seconds", result.restoreSeconds)
        line.add("proof_seconds", result.proofSeconds)
        line.add("not_in_snapshot", result.counts.absent)
        line.add("error_count", result.counts.problems)
        line.add(
            "databases",
            objects: result.databases.map { database in
                var line = JSONLine()
                line.add("path", path: database.path.bytes)
                line.add("integrity_check", database.integrity)
                return line
            })
        return line
    }

    /// Evidence outlives the output of cron: one JSON line a snapshot, in the cache directory.
    private func writeEvidence(_ results: [DrillResult]) throws {
        let path = session.cache.appending("drill-\(context.clock.now().seconds).json")
        let text = results.map { json($0).text + "\n" }.joined()
        let disk = LinuxDisk()
        if try disk.entry(at: path) != nil { try disk.remove(path) }
        let file = try disk.create(path)
        try Array(text.utf8).withUnsafeBytes { try file.write($0) }
        try file.sync()
        try file.close()
        context.report.note("evidence: \(path)")
    }
}

/// What a snapshot names and does not hold.
private final class Absences: Sendable {
    private static let mostNamed = 3

    private let state = Mutex((named: [[UInt8]](), count: UInt64(0)))

    func add(_ path: [UInt8]) {
        state.withLock { state in
            state.count += 1
            if state.named.count < Absences.mostNamed { state.named.append(path) }
        }
    }

    /// Nil where there is nothing to say.
    var text: String? {
        let (named, count) = state.withLock { $0 }
        guard count > 0 else { return nil }
        let more = count - UInt64(named.count)
        return "without \(Counted.of(count, "entry", "entries")) that could not be read then: "
            + named.map { PathText.shown($0) }.joined(separator: ", ")
            + (more > 0 ? ", and \(more) more" : "")
    }
}

extension FilePath {
    /// A path beneath this one, from here; another path as it is.
    fileprivate func inner(_ path: FilePath) -> [UInt8] {
        let isBeneath = path.bytes.starts(with: bytes + [UInt8(ascii: "/")])
        return isBeneath ? Array(path.bytes.dropFirst(bytes.count)) : path.bytes
    }
}
