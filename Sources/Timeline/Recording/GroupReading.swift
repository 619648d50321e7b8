import Codec
import Repository

/// One page group as it was read from a database, and what to hold it against.
struct GroupReading: Sendable {
    let group: Int
    let pages: Range<UInt32>
    let geometry: PageGeometry
    let bytes: [UInt8]

    init(group: Int, pages: Range<UInt32>, geometry: PageGeometry, bytes: [UInt8]) {
        self.group = group
        self.pages = pages
        self.geometry = geometry
        self.bytes = bytes
    }

    /// Reads one group of a database.
    init(_ group: Int, of view: DatabaseView) throws {
        let geometry = PageGeometry(pageSize: view.pageSize)
        let pages = geometry.pages(of: group, total: view.pageCount)
        let size = pages.count * geometry.pageSize
        let bytes = try [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
            try view.read(
                pagesFrom: pages.lowerBound, count: pages.count,
                into: UnsafeMutableRawBufferPointer(buffer))
            count = size
        }
        self.init(group: group, pages: pages, geometry: geometry, bytes: bytes)
    }

    private func page(_ index: Int, of bytes: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
        let start = index * geometry.pageSize
        return UnsafeRawBufferPointer(rebasing: bytes[start..<start + geometry.pageSize])
    }

    /// What page 1 adds to the state root; of the first group.
    func firstPageContribution(with hasher: Hasher256) -> Digest {
        bytes.withUnsafeBytes { PageHash.rootContribution(ofFirst: page(0, of: $0), with: hasher) }
    }

    /// The hash of each page (zero for the lock page), and what they add to the state root.
    func hashes(with hasher: Hasher256) -> (hashes: [Digest], sum: StateRoot) {
        var sum = StateRoot()
        let hashes = bytes.withUnsafeBytes { bytes in
            pages.enumerated().map { index, number -> Digest in
                guard number != geometry.lockPage else { return .zero }
                let page = page(index, of: bytes)
                let hash = PageHash.hash(of: number, page, with: hasher)
                sum.add(number == 1 ? PageHash.rootContribution(ofFirst: page, with: hasher) : hash)
                return hash
            }
        }
        return (hashes, sum)
    }

    /// The group as part of a complete base.
    func base(in store: BlobStore, with tools: Tools) throws -> GroupOutcome {
        let (hashes, sum) = hashes(with: tools.hasher)
        let blob = try bytes.withUnsafeBytes { try store.put($0, kind: .pageGroup, with: tools) }
        return GroupOutcome(sum: sum, content: .base(hashes: hashes, blob: blob))
    }

    /// What changed against the state before; `plan` is nil for groups it did not have.
    func changes(since plan: GroupPlan?, with tools: Tools) throws -> GroupOutcome {
        let (hashes, sum) = hashes(with: tools.hasher)
        let changed = pages.indices.filter { index in
            let number = pages[index]
            guard number != geometry.lockPage else { return false }
            guard let plan, plan.pages.contains(number) else { return true }
            return plan.hashes[Int(number - plan.pages.lowerBound)]
                != hashes[Int(number - pages.lowerBound)]
        }.map { pages[$0] }
        guard !changed.isEmpty else {
            return GroupOutcome(sum: sum, content: .changes([], bodies: []))
        }
        let previous = try plan?.build(
            with: tools, only: Set(changed).intersection(plan?.pages ?? 1..<1))
        let (entries, bodies) = encode(
            changed, hashes, over: previous, chains: plan?.chainLengths() ?? [],
            with: PageCoder(tools))
        return GroupOutcome(sum: sum, content: .changes(entries, bodies: bodies))
    }

    private func encode(
        _ changed: [UInt32], _ hashes: [Digest], over previous: [UInt8]?, chains: [Int],
        with coder: PageCoder
    ) -> ([PageTableEntry], [UInt8]) {
        var entries: [PageTableEntry] = []
        var bodies: [UInt8] = []
        entries.reserveCapacity(changed.count)
        bytes.withUnsafeBytes { bytes in
            (previous ?? []).withUnsafeBytes { previous in
                for number in changed {
                    let index = Int(number - pages.lowerBound)
                    let leans = index < chains.count && chains[index] < PageCoder.chainLimit
                    let start = bodies.count
                    let codec = coder.encode(
                        page(index, of: bytes), previous: leans ? page(index, of: previous) : nil,
                        into: &bodies)
                    entries.append(
                        PageTableEntry(
                            page: number, hash: hashes[index], codec: codec,
                            length: bodies.count - start))
                }
            }
        }
        return (entries, bodies)
    }
}
