import Repository

/// Gathers where the bytes of a sparse file lie, in no more extents than a node can have: beyond
/// that the smallest holes count as zeros, so that the file is stored, and comes back without them.
struct ExtentGatherer {
    private let limit: Int
    private(set) var extents: [Extent] = []
    /// Holes below this many bytes are none; 0 as long as all are.
    private(set) var smallestHole: UInt64 = 0

    /// - Parameter limit: at least 1.
    init(limit: Int) {
        self.limit = limit
    }

    /// Adds the next extent of the file; neither empty nor before the end of the last one.
    mutating func append(_ extent: Extent) {
        ExtentGatherer.add(extent, to: &extents, smallestHole)
        while extents.count > limit {
            // No file system has holes of fewer bytes than a sector.
            smallestHole = max(512, smallestHole * 2)
            var fewer: [Extent] = []
            for extent in extents { ExtentGatherer.add(extent, to: &fewer, smallestHole) }
            extents = fewer
        }
    }

    private static func add(_ extent: Extent, to extents: inout [Extent], _ smallestHole: UInt64) {
        guard let last = extents.last, extent.offset - last.end < smallestHole else {
            return extents.append(extent)
        }
        extents[extents.count - 1] = Extent(
            offset: last.offset, length: extent.offset + extent.length - last.offset)
    }
}

extension Extent {
    fileprivate var end: UInt64 { offset + length }
}
