// Verify, in the order in which damage explains what comes after it:
//
//     1. control files, and every sealed file's size, header and index
//     2. with --read-data, every byte of the sealed files (or of a share of the packs)
//     3. every snapshot: each directory, each piece, each database state, down to stored blobs
//
// The snapshots are walked while other threads read the packs. Where that finds damaged blobs they
// are walked again, now knowing of them, and only what the last walk finds is reported.
//
// A file that is gone when it is to be read may have been pruned, what is needed of it being copied
// first. So everything is listed again, what is new is checked, and the snapshots are walked again:
// a file that was lost hurts what needs it.
//
// Nothing is repaired, nothing is written but the catalogue.

import Codec
import Platform
package import Repository
import Timeline

/// Which packs are read whole.
package enum VerifyDepth: Sendable, Equatable {
    case structure
    case everything
    /// The `number`th of `count` equal shares, from 1.
    case share(number: Int, count: Int)
    /// So many percent of the packs, chosen at random.
    case percent(Double)
}

/// Finds out what of a repository is hurt.
package final class Verifier {
    private let repository: Repository
    private let report: VerifyReport
    private let isInterrupted: @Sendable () -> Bool
    private let hurt = HurtPacks()
    /// Files that were checked, or reported.
    private var checked: Set<ObjectName> = []

    /// How often everything is listed again.
    private static let rounds = 5
    /// Findings of the walk beside the reading that are kept; where there are more, they are found
    /// again afterwards.
    private static let keptLimit = 10_000

    package init(
        _ repository: Repository, report: VerifyReport,
        isInterrupted: @escaping @Sendable () -> Bool
    ) {
        self.repository = repository
        self.report = report
        self.isInterrupted = isInterrupted
    }

    /// Verifies everything to a depth.
    ///
    /// - Parameter damagedPacks: what refreshing the catalogue found hurt.
    package func run(
        _ depth: VerifyDepth, damagedPacks: [(pack: ObjectName, reason: any Error)]
    ) throws {
        try checkControlFiles()
        var damagedPacks = damagedPacks
        for _ in 1..<Verifier.rounds {
            if try run(depth, damagedPacks, isLast: false) { return }
            damagedPacks = try repository.refresh()
            report.forgetWalk()
        }
        _ = try run(depth, damagedPacks, isLast: true)
    }

    /// Looks at what was not checked before; false, and nothing of the walk reported, where a file
    /// was gone that had been listed.
    private func run(
        _ depth: VerifyDepth, _ damagedPacks: [(pack: ObjectName, reason: any Error)], isLast: Bool
    ) throws -> Bool {
        hurt.forgetMissing()
        let (snapshots, damaged) = try repository.snapshots()
        let whole = try checkFiles(depth, damagedPacks)
        let (recovery, early) = try readWhole(whole) {
            let recovery = try DatabaseRecovery(from: repository)
            return (recovery, try walk(snapshots, recovery))
        }
        guard isLast || !hurt.missesFiles else { return false }
        for (name, reason) in damaged {
            report.found(.snapshot(name: name.name, reason: "\(reason)"))
        }
        for segment in recovery.damagedSegments {
            report.found(.file(name: "\(segment.name)", reason: "\(segment.reason)"))
        }
        if let early, hurt.isEmpty {
            early.forEach(report.found)
        } else {
            report.forgetWalk()
            try check(snapshots, recovery, found: report.found)
        }
        return true
    }

    /// What a walk finds that knows of no damaged blob; nil where it is too much to keep.
    private func walk(
        _ snapshots: [StoredSnapshot], _ recovery: DatabaseRecovery
    ) throws -> [VerifyFinding]? {
        var kept: [VerifyFinding] = []
        var isTooMuch = false
        try check(snapshots, recovery) { finding in
            isTooMuch = kept.count == Verifier.keptLimit
            if !isTooMuch { kept.append(finding) }
        }
        return isTooMuch ? nil : kept
    }

    private func check(
        _ snapshots: [StoredSnapshot], _ recovery: DatabaseRecovery,
        found: (VerifyFinding) -> Void
    ) throws {
        let check = SnapshotCheck(
            repository, recovery, hurt: hurt, report: report, isInterrupted: isInterrupted)
        for snapshot in snapshots {
            try check.run(snapshot, found: found)
            report.update { $0.snapshots += 1 }
        }
        if check.missedFile { hurt.noteMissing() }
    }

    // MARK: Files

    private func checkControlFiles() throws {
        for file in try repository.place.list(.keys) {
            do {
                let bytes = try repository.place.read(file.name, limit: ControlFile.sizeLimit)
                _ = try ControlFile(bytes, kind: "key", location: "\(file.name)")
            } catch let error as RepositoryError where error.code != .readOnly {
                report.found(.file(name: "\(file.name)", reason: error.message))
            }
        }
    }

    /// Checks the indexes of files that are not read whole; returns those that are.
    private func checkFiles(
        _ depth: VerifyDepth, _ damagedPacks: [(pack: ObjectName, reason: any Error)]
    ) throws -> [StoredFile] {
        var whole: [StoredFile] = []
        for folder in Folder.sealed {
            let files = try repository.place.list(folder).sorted { $0.name < $1.name }
                .filter { checked.insert($0.name).inserted }
            for file in files where !file.name.isSealedName {
                report.found(
                    .file(name: "\(file.name)", reason: "it does not belong to a repository"))
            }
            let sealed = files.filter(\.name.isSealedName)
            let chosen = choose(sealed, depth)
            whole += chosen
            let rest = Set(sealed.map(\.name)).subtracting(chosen.map(\.name))
            if folder != .snapshots { try checkIndexes(rest, damagedPacks) }
        }
        return whole
    }

    private func choose(_ files: [StoredFile], _ depth: VerifyDepth) -> [StoredFile] {
        switch depth {
        case .structure: return []
        case .everything: return files
        case .share(let number, let count):
            return files.enumerated().filter { $0.offset % count == number - 1 }.map(\.element)
        case .percent(let percent):
            let wanted = Int((Double(files.count) * percent / 100).rounded(.up))
            return Array(files.shuffled().prefix(wanted))
        }
    }

    /// Reads the index that each pack has of itself.
    private func checkIndexes(
        _ names: Set<ObjectName>, _ damaged: [(pack: ObjectName, reason: any Error)]
    ) throws {
        let known = Dictionary(
            damaged.map { ($0.pack, "\($0.reason)") }, uniquingKeysWith: { first, _ in first })
        let opener = BlobOpener(repository)
        for name in names.sorted() {
            do {
                if let reason = known[name] { throw RepositoryError(.damaged, reason) }
                let pack = try PackReader(name, in: repository.place)
                _ = try pack.index(with: opener.cipher(of: pack))
            } catch let error as RepositoryError where error.code == .absent {
                hurt.noteMissing()
                continue
            } catch let error as RepositoryError where error.code != .readOnly {
                report.found(.file(name: "\(name)", reason: error.message))
            }
            report.update { $0.packs += 1 }
        }
    }

    /// Reads files on other threads, and does something else meanwhile.
    private func readWhole<R>(_ files: [StoredFile], meanwhile: () throws -> R) throws -> R {
        report.update { $0.packsInAll = UInt64(files.count) }
        let pool = WorkPool(
            repository, level: .fast, failure: FirstFailure(), budgetBytes: max(1, files.count))
        defer { pool.finish() }
        do {
            for file in files { try submit(file, to: pool) }
            let result = try meanwhile()
            try pool.drain()
            return result
        } catch {
            // Or the threads would read all that is left before anybody hears of it.
            pool.failure.record(error)
            throw error
        }
    }

    private func submit(_ file: StoredFile, to pool: WorkPool) throws {
        try pool.submit(bytes: 1) { [repository, report, hurt, isInterrupted] tools in
            if isInterrupted() { throw Interrupted() }
            let finding = try PackCheck(repository.place, with: tools).run(file.name)
            guard !finding.isAbsent else { return hurt.noteMissing() }
            if let reason = finding.reason {
                report.found(.file(name: "\(file.name)", reason: reason))
            }
            hurt.add(finding)
            report.update { counts in
                counts.packs += 1
                counts.bytesRead += finding.bytes
            }
        }
    }
}
