// A state is a base and all that changed since, which may be very many small commits. Of these a
// page of the state needs its last version, and where that leans on the version before, that one
// too, back to one that stands alone: 16 at most. So the tables are read from the newest record to
// the oldest, and what is older than a page needs is passed over. Bodies are read afterwards, each
// blob once.
//
// Memory is bounded by working on a window of pages. It begins with all of them; when what they
// need grows too large it is cut in half, and a second reading of the tables serves the rest.

import Codec
import Repository

/// The changes since a base that some adjacent pages of a state need.
struct ChangeWindow {
    /// Bytes of versions and bodies that a window holds, but for one group, which is never cut.
    static let budget = 32 << 20

    /// Pages of the window: whole groups.
    let pages: Range<UInt32>
    /// The hash of each page that changed, by page.
    private let hashes: [(page: UInt32, hash: Digest)]
    /// By page, oldest first.
    private let changes: [PageChange]
    private var nextHash = 0
    private var nextChange = 0

    init(pages: Range<UInt32>, hashes: [(page: UInt32, hash: Digest)], changes: [PageChange]) {
        self.pages = pages
        self.hashes = hashes
        self.changes = changes
    }

    /// What the pages below `bound` need that were not taken yet.
    mutating func take(
        below bound: UInt32
    ) -> (hashes: ArraySlice<(page: UInt32, hash: Digest)>, changes: [PageChange]) {
        let (firstHash, firstChange) = (nextHash, nextChange)
        while nextHash < hashes.count, hashes[nextHash].page < bound { nextHash += 1 }
        while nextChange < changes.count, changes[nextChange].page < bound { nextChange += 1 }
        return (hashes[firstHash..<nextHash], Array(changes[firstChange..<nextChange]))
    }
}
