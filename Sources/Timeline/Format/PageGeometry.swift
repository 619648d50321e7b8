/// How a database of some page size is cut into page groups.
///
/// A group is 256 KiB of adjacent pages, cut at fixed page numbers, so that an unchanged group of
/// a later base is the same blob.
package struct PageGeometry: Sendable, Hashable {
    package static let groupBytes = 256 << 10
    /// SQLite's lock bytes lie here; the page that holds them is never read or written.
    private static let lockOffset = 1 << 30

    /// The most pages a database can have. Source: sqlite.org/limits.html, 14.
    package static let pageLimit: UInt32 = 0xFFFF_FFFE

    /// Bytes, a power of two from 512 to 65536.
    package let pageSize: Int

    package init(pageSize: Int) {
        precondition(PageGeometry.isValid(pageSize: UInt64(pageSize)))
        self.pageSize = pageSize
    }

    package static func isValid(pageSize: UInt64) -> Bool {
        (512...65536).contains(pageSize) && pageSize & (pageSize - 1) == 0
    }

    package var pagesPerGroup: Int { PageGeometry.groupBytes / pageSize }

    /// The number of the lock page; pages count from 1.
    package var lockPage: UInt32 { UInt32(PageGeometry.lockOffset / pageSize) + 1 }

    package func groupCount(pages: UInt32) -> Int {
        (Int(pages) + pagesPerGroup - 1) / pagesPerGroup
    }

    package func group(of page: UInt32) -> Int { Int(page - 1) / pagesPerGroup }

    /// Numbers of the pages of a group in a database of `total` pages; never empty for its groups.
    package func pages(of group: Int, total: UInt32) -> Range<UInt32> {
        let first = group * pagesPerGroup + 1
        let end = min(first + pagesPerGroup, Int(total) + 1)
        return UInt32(clamping: first)..<UInt32(clamping: max(first, end))
    }
}
