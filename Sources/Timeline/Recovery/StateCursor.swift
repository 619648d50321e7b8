import Codec
import Repository

/// Walks a recorded state of a database group by group, in ascending order.
///
/// Memory grows neither with the database nor with the number of records since its base.
package struct StateCursor {
    package let record: Record
    package let geometry: PageGeometry
    package private(set) var group = 0
    private var isFinished = false
    private var base: BaseCursor
    private let path: RecordPath
    private let wantsBodies: Bool
    private let budget: Int
    private var window: ChangeWindow?

    /// A cursor over the state after the last record of `path`.
    ///
    /// - Parameter budget: bytes of changes that are held at a time.
    package init(over path: RecordPath, wantsBodies: Bool, budget: Int? = nil) throws {
        guard let first = path.first, let last = path.last, first.record.kind == .base else {
            throw FormatError("a state without a base")
        }
        self.path = path
        self.wantsBodies = wantsBodies
        self.budget = budget ?? ChangeWindow.budget
        record = last.record
        geometry = PageGeometry(pageSize: first.record.pageSize)
        guard record.pageSize == first.record.pageSize else {
            throw FormatError("record \(record.position) changes the page size")
        }
        let repository = path.store.repository
        base = try BaseCursor(
            first, SegmentReader(first.segment, in: repository, with: BlobOpener(repository)))
    }

    /// The next group; nil past the last.
    package mutating func next() throws -> GroupPlan? {
        guard group < geometry.groupCount(pages: record.pageCount) else {
            try finish()
            return nil
        }
        let pages = geometry.pages(of: group, total: record.pageCount)
        var hashes = [Digest](repeating: .zero, count: pages.count)
        let stored = try base.next()
        for (index, hash) in (stored?.hashes ?? []).prefix(hashes.count).enumerated() {
            hashes[index] = hash
        }
        let changed = try changes(of: pages)
        for (page, hash) in changed.hashes { hashes[Int(page - pages.lowerBound)] = hash }
        // Without this a record that claims more pages than there are would keep us for hours.
        for (number, hash) in zip(pages, hashes)
        where hash == .zero && number != geometry.lockPage {
            throw FormatError("page \(number) of state \(record.position) was never recorded")
        }
        defer { group += 1 }
        return GroupPlan(
            group: group, pages: pages, geometry: geometry, hashes: hashes,
            base: stored.map { ($0.blob, $0.hashes.count) }, changes: changed.changes)
    }

    private mutating func changes(
        of pages: Range<UInt32>
    ) throws -> (hashes: ArraySlice<(page: UInt32, hash: Digest)>, changes: [PageChange]) {
        if !(window?.pages.contains(pages.lowerBound) ?? false) { try scan() }
        return window?.take(below: pages.upperBound) ?? ([], [])
    }

    private mutating func scan() throws {
        // The former window goes first, so that there are never two.
        window = nil
        var scan = ChangeScan(
            path, from: group, of: record, wantsBodies: wantsBodies, budget: budget)
        window = try scan.run()
    }

    /// Reads what is left and proves that all tables were what their chains cover.
    package mutating func finish() throws {
        guard !isFinished else { return }
        isFinished = true
        try base.finish()
        if window == nil { try scan() }
    }
}
