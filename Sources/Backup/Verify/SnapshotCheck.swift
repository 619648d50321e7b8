import Codec
import Platform
import Repository
import Synchronization
import Timeline

/// Blobs that were read and are damaged; filled by several threads.
final class HurtBlobs: Sendable {
    private let ids = Mutex<Set<BlobID>>([])

    func add(_ found: [BlobID]) {
        ids.withLock { $0.formUnion(found) }
    }

    func contains(_ id: BlobID) -> Bool {
        ids.withLock { $0.contains(id) }
    }

    var isEmpty: Bool { ids.withLock { $0.isEmpty } }
}

/// Follows snapshots down to stored blobs; used by one thread.
final class SnapshotCheck {
    private let repository: Repository
    private let recovery: DatabaseRecovery
    private let browser: SnapshotBrowser
    private let hurt: HurtBlobs
    private let report: VerifyReport
    private let isInterrupted: @Sendable () -> Bool
    private var clean: Set<BlobID> = []
    private var checkedStates: [DatabaseReference: String?] = [:]

    init(
        _ repository: Repository, _ recovery: DatabaseRecovery, hurt: HurtBlobs,
        report: VerifyReport, isInterrupted: @escaping @Sendable () -> Bool
    ) {
        self.repository = repository
        self.recovery = recovery
        browser = SnapshotBrowser(repository)
        self.hurt = hurt
        self.report = report
        self.isInterrupted = isInterrupted
    }

    /// Whether a blob cannot be read: in no pack, or only in damaged ones.
    private func isHurt(_ id: BlobID, kind: BlobKind, size: Int? = nil) throws -> Bool {
        let places = try repository.catalogue.locations(of: id)
        let fits = places.contains { place in
            place.entry.header.kind == kind
                && (size ?? place.entry.header.plainSize) == place.entry.header.plainSize
        }
        return !fits || hurt.contains(id)
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
                let lost = try pieces.filter { try isHurt($0.id, kind: .data, size: $0.size) }.count
                if lost > 0 { found(path, "\(lost) of \(pieces.count) pieces are hurt or missing") }
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
            try recovery.check(reference) { try isHurt($0, kind: .pageGroup) }
        } catch let error as RepositoryError where error.code != .readOnly {
            reason = error.message
        }
        checkedStates[reference] = .some(reason)
        return reason
    }
}
