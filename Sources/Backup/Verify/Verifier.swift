// Verify, in the order in which damage explains what comes after it:
//
//     1. control files, and every sealed file's size, header and index
//     2. with --read-data, every byte of the sealed files (or of a share of the packs)
//     3. every snapshot: each directory, each piece, each database state, down to stored blobs
//
// Nothing is repaired, nothing is written but the catalogue.

import Codec
import Platform
package import Repository
import Synchronization
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
    private lazy var pieces = PieceCheck(repository) { [unowned self] in try isHurt($0, $1) }
    private var clean: Set<BlobID> = []
    private var checkedStates: [DatabaseReference: String?] = [:]

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
        let (snapshots, damaged) = try repository.snapshots()
        try checkControlFiles()
        try checkFiles(depth, damagedPacks)
        for (name, reason) in damaged {
            report.found(.snapshot(name: name.name, reason: "\(reason)"))
        }
        let recovery = try DatabaseRecovery(from: repository)
        for (segment, reason) in recovery.damagedSegments {
            report.found(.file(name: "\(segment)", reason: "\(reason)"))
        }
        let browser = SnapshotBrowser(repository)
        for snapshot in snapshots {
            try check(snapshot, browser, recovery)
            report.update { $0.snapshots += 1 }
        }
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

    private func checkFiles(
        _ depth: VerifyDepth, _ damagedPacks: [(pack: ObjectName, reason: any Error)]
    ) throws {
        var whole: [StoredFile] = []
        for folder in Folder.sealed {
            let files = try repository.place.list(folder).sorted { $0.name < $1.name }
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
        try readWhole(whole)
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
            } catch let error as RepositoryError where error.code != .readOnly {
                report.found(.file(name: "\(name)", reason: error.message))
            }
            report.update { $0.packs += 1 }
        }
    }

    private func readWhole(_ files: [StoredFile]) throws {
        guard !files.isEmpty else { return }
        report.update { $0.packsInAll = UInt64(files.count) }
        let pool = WorkPool(repository, level: .fast, failure: FirstFailure(), budgetBytes: 4)
        defer { pool.finish() }
        for file in files {
            if isInterrupted() { throw Interrupted() }
            try pool.submit(bytes: 1) { [repository, report, hurt] tools in
                let finding = try PackCheck(repository.place, with: tools).run(file.name)
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
        try pool.drain()
    }

    // MARK: Snapshots

    /// Whether a blob cannot be read: no pack has a copy that is whole.
    private func isHurt(_ blob: BlobReference, _ kind: BlobKind) throws -> Bool {
        try isHurt(blob.id, kind: kind, size: blob.size)
    }

    private func isHurt(_ id: BlobID, kind: BlobKind, size: Int? = nil) throws -> Bool {
        let number = repository.listingNumber
        if try isWhole(id, kind, size) { return false }
        guard try repository.listAgain(after: number, vanished: false) else { return true }
        return try !isWhole(id, kind, size)
    }

    private func isWhole(_ id: BlobID, _ kind: BlobKind, _ size: Int?) throws -> Bool {
        try repository.catalogue.locations(of: id).contains { place in
            let header = place.entry.header
            guard header.kind == kind, (size ?? header.plainSize) == header.plainSize,
                let pack = repository.name(ofPack: place.pack)
            else { return false }
            return !hurt.contains(id, in: pack)
        }
    }

    private func check(
        _ snapshot: StoredSnapshot, _ browser: SnapshotBrowser, _ recovery: DatabaseRecovery
    ) throws {
        var findings = [0]
        func found(_ path: FilePath, _ reason: String) {
            findings[findings.count - 1] += 1
            report.found(.path(snapshot: snapshot.shortID, path: path, reason: reason))
        }
        try browser.walk(snapshot.snapshot.root, at: FilePath("/")) { node, path in
            if isInterrupted() { throw Interrupted() }
            report.update { $0.entries += 1 }
            switch node.content {
            case .directory(let runs, _):
                if runs.allSatisfy({ clean.contains($0.id) }) { return false }
                findings.append(0)
                return true
            case .file(let pieces, _):
                if let reason = try self.pieces.loss(of: pieces) { found(path, reason) }
            case .database(let reference):
                if let reason = try check(reference, recovery) { found(path, reason) }
            default: break
            }
            return false
        } leave: { node, _ in
            let inside = findings.removeLast()
            findings[findings.count - 1] += inside
            if inside == 0 { clean.formUnion(node.runs.map(\.id)) }
        } unreadable: { _, path, error in
            found(path, "\(error)")
        }
    }

    private func check(
        _ reference: DatabaseReference, _ recovery: DatabaseRecovery
    ) throws -> String? {
        if let known = checkedStates[reference] { return known }
        report.update { $0.databases += 1 }
        var reason: String?
        do {
            try recovery.check(reference) { try isHurt($0, kind: .pageGroup) }
        } catch let error as RepositoryError where error.code != .readOnly {
            reason = error.message
        }
        checkedStates[reference] = .some(reason)
        return reason
    }
}
