import Codec
import Repository

// Copying over a database that is in use counts up its schema cookie (bytes 40 to 43 of page 1),
// so that whoever has it open reads the schema again. The content is the recorded one all the same.
// Source: sqlite.org/fileformat2.html#schema_cookie, sqlite3BtreeUpdateMeta in SQLite's backup.c.
extension DatabaseRecovery {
    private static let cookie = 40..<44

    /// The root that a database with this root and first page has with the recorded state's cookie.
    func root(
        _ root: StateRoot, of first: [UInt8], withCookieOf reference: DatabaseReference
    ) throws -> StateRoot {
        let recorded = try firstGroup(of: reference)
        guard recorded.count >= first.count, first.count >= Self.cookie.upperBound else {
            return root
        }
        var mended = first
        mended.replaceSubrange(Self.cookie, with: recorded[Self.cookie])
        let hasher = Hasher256()
        var result = root
        result.subtract(contribution(of: first, hasher))
        result.add(contribution(of: mended, hasher))
        return result
    }

    private func contribution(of page: [UInt8], _ hasher: Hasher256) -> Digest {
        page.withUnsafeBytes { PageHash.rootContribution(ofFirst: $0, with: hasher) }
    }

    /// What page 1 of a recorded state adds to its root.
    func firstPageContribution(of reference: DatabaseReference) throws -> Digest {
        let size = try path(to: reference).last?.record.pageSize ?? 0
        return contribution(of: Array(try firstGroup(of: reference).prefix(size)), Hasher256())
    }

    /// The first pages of a recorded state, of which page 1 is proved by its hash.
    private func firstGroup(of reference: DatabaseReference) throws -> [UInt8] {
        var cursor = try StateCursor(over: path(to: reference), wantsBodies: true)
        guard let plan = try cursor.next() else { return [] }
        return try plan.build(with: Tools(repository, level: .fast), only: [1])
    }
}
