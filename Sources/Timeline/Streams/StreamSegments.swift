import Codec

/// What is known of a stream's segments.
struct StreamSegments: Sendable {
    /// By their newest positions.
    let summaries: [SegmentSummary]
    /// Which segment ends with a chain hash; of several the one with most forgotten records, which
    /// is to take the place of the others.
    let ends: [Digest: Int]
    /// Indexes by the segments' numbers.
    let indexes: [Int64: Int]
    /// Indexes by the lowest sequence number, and the highest one of all up to each.
    private let order: [Int]
    private let reach: [UInt64]

    init(_ summaries: [SegmentSummary]) {
        self.summaries = summaries
        ends = Dictionary(
            summaries.indices.map { (summaries[$0].chain, $0) },
            uniquingKeysWith: { summaries[$1].forgotten > summaries[$0].forgotten ? $1 : $0 })
        indexes = Dictionary(
            summaries.indices.map { (summaries[$0].number, $0) }, uniquingKeysWith: { $1 })
        let order = summaries.indices.sorted {
            summaries[$0].sequences.lowerBound < summaries[$1].sequences.lowerBound
        }
        var highest: UInt64 = 0
        reach = order.map {
            highest = max(highest, summaries[$0].sequences.upperBound)
            return highest
        }
        self.order = order
    }

    /// Indexes of the segments that reach over a sequence number.
    func reaching(over sequence: UInt64) -> [Int] {
        var (low, high) = (0, order.count)
        while low < high {
            let middle = (low + high) / 2
            if summaries[order[middle]].sequences.lowerBound <= sequence {
                low = middle + 1
            } else {
                high = middle
            }
        }
        var found: [Int] = []
        while low > 0, reach[low - 1] >= sequence {
            low -= 1
            if summaries[order[low]].sequences.contains(sequence) { found.append(order[low]) }
        }
        return found.reversed()
    }
}
