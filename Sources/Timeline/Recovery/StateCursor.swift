package import Codec
package import Repository

/// What makes up one page group of a state: a base's group, and the changes since, in order.
package struct GroupPlan: Sendable {
    package let group: Int
    /// Numbers of the pages the group has in this state.
    package let pages: Range<UInt32>
    package let geometry: PageGeometry
    /// Hash of each page of the state; zero for the lock page.
    package let hashes: [Digest]
    /// The base's blob and how many of the group's pages it holds; nil for groups past its end.
    let base: (blob: BlobID, pages: Int)?
    /// The group's pages in each change set since the base; the database's size after it.
    let layers: [(pages: [ChangedPage], pageCount: UInt32)]

    /// How many versions in a row lean on the one before, for each page of the group.
    func chainLengths() -> [Int] {
        var lengths = [Int](repeating: 0, count: pages.count)
        for layer in layers {
            for page in layer.pages where pages.contains(page.entry.page) {
                let index = Int(page.entry.page - pages.lowerBound)
                lengths[index] = page.entry.codec == .dictionary ? lengths[index] + 1 : 0
            }
        }
        return lengths
    }
}

/// Walks a recorded state of a database group by group, in ascending order.
///
/// Memory does not grow with the database: of the base and of each change set since it, a few
/// blobs are held at a time.
package struct StateCursor {
    package let record: Record
    package let geometry: PageGeometry
    package private(set) var group = 0
    private var isFinished = false
    private var base: BaseCursor
    private var layers: [ChangeSetCursor]

    /// A cursor over the state after the last record of `path`, which begins with a base.
    package init(
        over path: [RecordHandle], in repository: Repository, wantsBodies: Bool
    ) throws {
        guard let first = path.first, let last = path.last, first.record.kind == .base else {
            throw FormatError("a state without a base")
        }
        let opener = BlobOpener(repository)
        record = last.record
        geometry = PageGeometry(pageSize: first.record.pageSize)
        base = try BaseCursor(
            first, SegmentReader(first.segment, in: repository, with: opener))
        layers = try path.dropFirst().filter { $0.record.kind == .commit }.map {
            guard $0.record.pageSize == first.record.pageSize else {
                throw FormatError("record \($0.record.position) changes the page size")
            }
            let reader = try SegmentReader($0.segment, in: repository, with: opener)
            return ChangeSetCursor($0, reader, wantsBodies: wantsBodies)
        }
    }

    /// The next group; nil past the last.
    package mutating func next() throws -> GroupPlan? {
        guard group < geometry.groupCount(pages: record.pageCount) else {
            try finish()
            return nil
        }
        let pages = geometry.pages(of: group, total: record.pageCount)
        let bound = UInt32(clamping: geometry.pagesPerGroup * (group + 1) + 1)
        var hashes = [Digest](repeating: .zero, count: pages.count)
        let stored = try base.next()
        for (index, hash) in (stored?.hashes ?? []).prefix(hashes.count).enumerated() {
            hashes[index] = hash
        }
        var plan: [(pages: [ChangedPage], pageCount: UInt32)] = []
        for index in layers.indices {
            let changed = try layers[index].take(below: bound)
            for page in changed where pages.contains(page.entry.page) {
                hashes[Int(page.entry.page - pages.lowerBound)] = page.entry.hash
            }
            if !changed.isEmpty { plan.append((changed, layers[index].record.pageCount)) }
        }
        // Without this a record that claims more pages than there are would keep us for hours.
        for (number, hash) in zip(pages, hashes)
        where hash == .zero && number != geometry.lockPage {
            throw FormatError("page \(number) of state \(record.position) was never recorded")
        }
        defer { group += 1 }
        return GroupPlan(
            group: group, pages: pages, geometry: geometry, hashes: hashes,
            base: stored.map { ($0.blob, $0.hashes.count) }, layers: plan)
    }

    /// Reads what is left and proves that all tables were what their chains cover.
    package mutating func finish() throws {
        guard !isFinished else { return }
        isFinished = true
        try base.finish()
        for index in layers.indices { try layers[index].finish() }
    }
}
