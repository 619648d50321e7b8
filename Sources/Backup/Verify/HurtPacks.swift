import Repository
import Synchronization

/// Copies of blobs that were read and are no good; filled by several threads.
///
/// Kept by pack, since another pack may hold a copy that is whole.
final class HurtPacks: Sendable {
    private enum Rest {
        /// All is whole but these.
        case allBut(Set<BlobID>)
        /// Where the index is lost, what a search did not find is lost too.
        case only(Set<BlobID>)
    }

    private let packs = Mutex<[String: Rest]>([:])
    private let missing = Atomic(false)

    /// Whether a file was gone that had been listed.
    var missesFiles: Bool { missing.load(ordering: .relaxed) }

    func noteMissing() { missing.store(true, ordering: .relaxed) }

    func forgetMissing() { missing.store(false, ordering: .relaxed) }

    /// Whether nothing that was read is damaged.
    var isEmpty: Bool { packs.withLock { $0.isEmpty } }

    func add(_ finding: PackCheck.Finding) {
        guard finding.reason != nil else { return }
        let hurt = Set(finding.blobs)
        packs.withLock { packs in
            packs[finding.pack.name] =
                finding.found.map { .only($0.subtracting(hurt)) } ?? .allBut(hurt)
        }
    }

    /// Whether the copy of a blob in a pack was read and is damaged.
    func contains(_ id: BlobID, in pack: String) -> Bool {
        packs.withLock { packs in
            switch packs[pack] {
            case nil: false
            case .allBut(let hurt): hurt.contains(id)
            case .only(let whole): !whole.contains(id)
            }
        }
    }
}
