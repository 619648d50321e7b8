import Codec
import Platform
import Repository
import Timeline

/// Follows snapshots down to stored blobs; used by one thread.
final class SnapshotCheck {
    private let repository: Repository
    private let recovery: DatabaseRecovery
    private let browser: SnapshotBrowser
    private let hurt: HurtPacks
    private let report: VerifyReport
    private let isInterrupted: @Sendable () -> Bool
    private lazy var pieces = PieceCheck(repository) { [unowned self] in try isHurt($0) }
    private var clean: Set<BlobID> = []
    /// Whether a file was gone that had been listed.
    private(set) var missedFile = false
    private var checkedStates: [DatabaseReference: String?] = [:]

    init(
        _ repository: Repository, _ recovery: DatabaseRecovery, hurt: HurtPacks,
        report: VerifyReport, isInterrupted: @escaping @Sendable () -> Bool
    ) {
        self.repository = repository
        self.recovery = recovery
        browser = SnapshotBrowser(repository)
        self.hurt = hurt
        self.report = report
        self.isInterrupted = isInterrupted
    }

    /// Checks one snapshot; what an earlier one shares with it, and was whole, is not walked again.
    func run(_ snapshot: StoredSnapshot, found tell: (VerifyFinding) -> Void) throws {
        var findings = [0]
        func found(_ path: FilePath, _ reason: String) {
            findings[findings.count - 1] += 1
            tell(.path(snapshot: snapshot.shortID, path: path, reason: reason))
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
                if let reason = try check(reference) { found(path, reason) }
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

    private func check(_ reference: DatabaseReference) throws -> String? {
        if let known = checkedStates[reference] { return known }
        report.update { $0.databases += 1 }
        var reason: String?
        do {
            try recovery.check(reference) { try isHurt($0) }
        } catch let error as RepositoryError where error.code != .readOnly {
            reason = error.message
            if error.code == .absent { missedFile = true }
        }
        checkedStates[reference] = .some(reason)
        return reason
    }

    /// Whether a blob cannot be read: no pack has a copy that is whole.
    private func isHurt(_ blob: BlobReference) throws -> Bool {
        try isHurt(blob.id, size: blob.size)
    }

    private func isHurt(_ id: BlobID, size: Int? = nil) throws -> Bool {
        let number = repository.listingNumber
        if try isWhole(id, size) { return false }
        guard try repository.listAgain(after: number, vanished: false) else { return true }
        return try !isWhole(id, size)
    }

    private func isWhole(_ id: BlobID, _ size: Int?) throws -> Bool {
        try repository.catalogue.locations(of: id).contains { place in
            let header = place.entry.header
            guard (size ?? header.plainSize) == header.plainSize,
                let pack = repository.name(ofPack: place.pack)
            else { return false }
            return !hurt.contains(id, in: pack)
        }
    }
}
