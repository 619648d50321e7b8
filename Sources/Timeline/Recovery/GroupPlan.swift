package import Codec
import Repository

/// A version of a page, as a change set holds it.
struct PageChange: Sendable {
    let page: UInt32
    let codec: PageCodec
    /// Empty where only hashes were asked for.
    let body: ArraySlice<UInt8>
}

/// What makes up one page group of a state: a base's group, and the changes since that count.
package struct GroupPlan: Sendable {
    package let group: Int
    /// Numbers of the pages the group has in this state.
    package let pages: Range<UInt32>
    package let geometry: PageGeometry
    /// Hash of each page of the state; zero for the lock page.
    package let hashes: [Digest]
    /// The base's blob and how many of the group's pages it holds; nil for groups past its end.
    let base: (blob: BlobID, pages: Int)?
    /// By pages; of each page the last version, and behind one another those it leans on.
    let changes: [PageChange]

    /// How many versions in a row lean on the one before, for each page of the group.
    func chainLengths() -> [Int] {
        var lengths = [Int](repeating: 0, count: pages.count)
        for change in changes where change.codec == .dictionary {
            lengths[Int(change.page - pages.lowerBound)] += 1
        }
        return lengths
    }
}
