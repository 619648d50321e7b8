import Repository

/// Finds out which pieces of files are hurt. A list of pieces is read once, however many snapshots
/// have it.
final class PieceCheck {
    /// What was found of a list, and of all below it.
    private struct Finding {
        var pieces: UInt64 = 0
        var lost: UInt64 = 0
        var lostLists: UInt64 = 0

        mutating func add(_ other: Finding) {
            pieces.add(saturating: other.pieces)
            lost.add(saturating: other.lost)
            lostLists.add(saturating: other.lostLists)
        }
    }

    /// A list where it stands: another level or size would be another finding.
    private struct Place: Hashable {
        let entry: PieceList.Entry
        let level: Int
    }

    private let opener: BlobOpener
    private let isHurt: (BlobReference) throws -> Bool
    private var known: [Place: Finding] = [:]

    init(
        _ repository: Repository, isHurt: @escaping (BlobReference) throws -> Bool
    ) {
        opener = BlobOpener(repository)
        self.isHurt = isHurt
    }

    /// What a person should hear of a file's pieces; nil where all are there.
    func loss(of pieces: PieceList) throws -> String? {
        let finding = try check(pieces)
        if finding.lostLists > 0 {
            return "\(finding.lostLists) lists of its pieces are hurt or missing"
        }
        guard finding.lost > 0 else { return nil }
        return "\(finding.lost) of \(finding.pieces) pieces are hurt or missing"
    }

    /// As deep as lists may be, which is little.
    private func check(_ list: PieceList) throws -> Finding {
        var finding = Finding()
        for entry in list.entries {
            if list.level == 0 {
                finding.pieces.add(saturating: 1)
                if try isHurt(entry.blob) { finding.lost.add(saturating: 1) }
            } else {
                finding.add(try check(entry, level: list.level - 1))
            }
        }
        return finding
    }

    private func check(_ entry: PieceList.Entry, level: Int) throws -> Finding {
        let place = Place(entry: entry, level: level)
        if let finding = known[place] { return finding }
        let finding: Finding
        do {
            guard try !isHurt(entry.blob) else { return Finding(lostLists: 1) }
            finding = try check(opener.list(entry, level: level))
        } catch let error as RepositoryError where error.code == .damaged {
            finding = Finding(lostLists: 1)
        }
        known[place] = finding
        return finding
    }
}
