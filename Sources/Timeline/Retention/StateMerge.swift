// One change set from a state to a later one of the same line.
//
// Both states are walked group by group, each page proved by its hash. A page that differs is
// stored against its version in the earlier state, or alone. What follows the later state leans on
// its pages as before, and a page may have at most 15 versions in a row that lean on the one
// before; so a page may never have more of them behind the merge than it had without: where it
// would, it stands alone, also where it did not change. Each body is decoded again before it
// counts. The sum of what changed must lead from the one state root to the other, both covered by
// the chain: so no page can be missing.

import Codec
import Repository

/// Merges the change sets between two states.
struct StateMerge {
    /// Bytes of changes that each of the two walks holds at a time.
    private static let budget = 16 << 20

    private let tools: Tools
    private let coder: PageCoder
    private var root = StateRoot()

    init(with tools: Tools) {
        self.tools = tools
        coder = PageCoder(tools)
    }

    /// Writes the change set that leads from one state to another, and the record of the other.
    mutating func write(
        from earlier: RecordPath, to later: RecordPath, covering covered: Int,
        into segment: SegmentWriter
    ) throws {
        var old = try StateCursor(over: earlier, wantsBodies: true, budget: Self.budget)
        var new = try StateCursor(over: later, wantsBodies: true, budget: Self.budget)
        guard old.geometry == new.geometry else {
            throw FormatError("record \(new.record.position) changes the page size")
        }
        root = StateRoot(old.record.stateRoot)
        var writer = RecordWriter(into: segment, geometry: new.geometry)
        while let plan = try new.next() { try add(try old.next(), plan, to: &writer) }
        while let gone = try old.next() { try remove(gone) }
        guard root.digest == new.record.stateRoot else {
            throw FormatError("what changed does not lead to state \(new.record.position)")
        }
        try writer.finish(merging: new.record, covering: covered)
    }

    /// A page that goes into the change set, and whether it may lean on its version before.
    private struct Choice {
        let page: UInt32
        let hash: Digest
        let mayLean: Bool
    }

    private static func choices(_ old: GroupPlan?, _ new: GroupPlan) -> [Choice] {
        let (before, after) = (old?.chainLengths() ?? [], new.chainLengths())
        let hashes = old?.hashes ?? []
        return new.pages.enumerated().compactMap { index, page in
            guard page != new.geometry.lockPage else { return nil }
            let had = index < hashes.count ? hashes[index] : nil
            if had == new.hashes[index], before[index] <= after[index] { return nil }
            return Choice(
                page: page, hash: new.hashes[index],
                mayLean: had != nil && before[index] < after[index])
        }
    }

    private mutating func add(
        _ old: GroupPlan?, _ new: GroupPlan, to writer: inout RecordWriter
    ) throws {
        let choices = StateMerge.choices(old, new)
        guard !choices.isEmpty || old?.hashes != new.hashes else { return }
        var needed = Set(choices.map(\.page))
        if new.group == 0 { needed.insert(1) }
        let bytes = try new.build(with: tools, only: needed)
        let before = try old.map { plan in
            try plan.build(with: tools, only: needed.filter(plan.pages.contains))
        }
        root.add(new.sum(of: bytes, with: tools.hasher))
        if let old, let before { root.subtract(old.sum(of: before, with: tools.hasher)) }
        var entries: [PageTableEntry] = []
        var bodies: [UInt8] = []
        for choice in choices {
            let range = StateMerge.range(of: choice.page, in: new)
            let former = choice.mayLean ? before?[range] : nil
            entries.append(try encode(choice, bytes[range], over: former, into: &bodies))
        }
        try writer.add(merged: entries, bodies)
    }

    private mutating func remove(_ old: GroupPlan) throws {
        let bytes = try old.build(with: tools, only: old.group == 0 ? [1] : [])
        root.subtract(old.sum(of: bytes, with: tools.hasher))
    }

    private static func range(of page: UInt32, in plan: GroupPlan) -> Range<Int> {
        let start = Int(page - plan.pages.lowerBound) * plan.geometry.pageSize
        return start..<start + plan.geometry.pageSize
    }

    /// Appends a page's body, decoded again and held against its hash.
    private func encode(
        _ choice: Choice, _ page: ArraySlice<UInt8>, over former: ArraySlice<UInt8>?,
        into bodies: inout [UInt8]
    ) throws -> PageTableEntry {
        let start = bodies.count
        let codec =
            if let former {
                former.withUnsafeBytes { former in
                    page.withUnsafeBytes {
                        coder.encode($0, previous: former, into: &bodies)
                    }
                }
            } else {
                page.withUnsafeBytes { coder.encode($0, previous: nil, into: &bodies) }
            }
        try prove(choice, bodies[start...], codec, over: former, size: page.count)
        return PageTableEntry(
            page: choice.page, hash: choice.hash, codec: codec, length: bodies.count - start)
    }

    private func prove(
        _ choice: Choice, _ body: ArraySlice<UInt8>, _ codec: PageCodec,
        over former: ArraySlice<UInt8>?, size: Int
    ) throws {
        var page = former.map { Array($0) } ?? [UInt8](repeating: 0, count: size)
        let isSame = try page.withUnsafeMutableBytes { page in
            try coder.decode(body, codec, over: page)
            return PageHash.hash(of: choice.page, UnsafeRawBufferPointer(page), with: tools.hasher)
                == choice.hash
        }
        guard isSame else { throw FormatError("page \(choice.page) was not encoded as it is") }
    }
}
