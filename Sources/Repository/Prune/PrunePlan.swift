// What to do with each pack. Pure: numbers in, decisions out.
//
// - A pack of which nothing is needed is dropped.
// - A pack is emptied (what is needed of it is copied, then it is dropped) while more than
//   the limit is unused in all, the emptiest first; and where there are many small ones.
// - A pack that is still fresh stays: a writer at work may be about to need it.
// - No more are begun than leases can name marks.

import Codec

/// How much of what is stored may be needed by nothing.
package enum UnusedLimit: Sendable, Equatable {
    /// A share of what remains stored, in percent, below 100.
    case percent(Double)
    case bytes(UInt64)
    case unlimited

    /// Bytes that may be unused beside so many that are needed.
    func bytes(beside needed: UInt64) -> UInt64 {
        switch self {
        case .percent(let percent): UInt64(Double(needed) * percent / (100 - percent))
        case .bytes(let bytes): bytes
        case .unlimited: .max
        }
    }
}

/// A pack, and how much of it is needed.
package struct PackUse: Sendable, Equatable {
    package let pack: Int64
    package let name: String
    package let size: UInt64
    /// Bytes of blobs that are needed and are to be found here, with their lines in the index.
    package var needed: UInt64
    /// Prune means to delete it already.
    package let isMarked: Bool
    /// Its writer may still be at work.
    package let isFresh: Bool

    package init(
        pack: Int64, name: String, size: UInt64, needed: UInt64, isMarked: Bool = false,
        isFresh: Bool = false
    ) {
        self.pack = pack
        self.name = name
        self.size = size
        self.needed = needed
        self.isMarked = isMarked
        self.isFresh = isFresh
    }

    /// Bytes that would go with what nothing needs.
    package var unused: UInt64 {
        let frame = PackFormat.headerSize + PackFormat.footerSize + Cipher.tagSize
        return needed == 0 ? size : size - min(size, needed + UInt64(frame))
    }
}

/// Which packs go, and which of them are copied from before.
package struct PrunePlan: Sendable {
    /// Packs below this size are small, in bytes.
    package static let smallSize = BlobStore.packSize / 8
    /// So many small ones are worth being put together.
    package static let smallCount = 16

    /// Nothing of them is needed.
    package private(set) var dropped: [PackUse] = []
    /// What is needed of them is copied first.
    package private(set) var emptied: [PackUse] = []
    package private(set) var kept: [PackUse] = []
    /// Unneeded bytes that stay.
    package private(set) var unusedKept: UInt64 = 0

    /// - Parameters:
    ///   - packs: all of them; those that are marked already are not decided about again.
    ///   - budget: how many may be marked.
    package init(for packs: [PackUse], limit: UnusedLimit, budget: Int) {
        var left = budget
        var candidates: [PackUse] = []
        for pack in packs.sorted(by: PrunePlan.emptier) where !pack.isMarked {
            if pack.isFresh {
                kept.append(pack)
            } else if pack.needed == 0, left > 0 {
                left -= 1
                dropped.append(pack)
            } else {
                candidates.append(pack)
            }
        }
        empty(&candidates, packs, limit, &left)
        if limit != .unlimited { merge(&candidates, &left) }
        kept += candidates
        unusedKept = kept.reduce(0) { $0 + $1.unused }
    }

    /// Empties the emptiest until what is unused stays within the limit.
    private mutating func empty(
        _ candidates: inout [PackUse], _ packs: [PackUse], _ limit: UnusedLimit, _ left: inout Int
    ) {
        let needed = packs.reduce(0) { $0 + $1.needed }
        let allowed = limit.bytes(beside: needed)
        var unused = candidates.reduce(0) { $0 + $1.unused }
        var rest: [PackUse] = []
        for pack in candidates {
            if unused > allowed, pack.needed > 0, pack.unused > 0, left > 0 {
                unused -= pack.unused
                left -= 1
                emptied.append(pack)
            } else {
                rest.append(pack)
            }
        }
        candidates = rest
    }

    private mutating func merge(_ candidates: inout [PackUse], _ left: inout Int) {
        let small = candidates.filter { $0.size < PrunePlan.smallSize }
        guard small.count >= PrunePlan.smallCount, left >= small.count else { return }
        left -= small.count
        emptied += small
        candidates.removeAll { $0.size < PrunePlan.smallSize }
    }

    /// Emptier first; the order is total, so that equal repositories get equal plans.
    private static func emptier(_ left: PackUse, _ right: PackUse) -> Bool {
        let shares = (left.share, right.share)
        return shares.0 == shares.1 ? left.name < right.name : shares.0 < shares.1
    }
}

extension PackUse {
    /// Needed bytes a byte of the pack.
    var share: Double { size == 0 ? 0 : Double(needed) / Double(size) }
}
