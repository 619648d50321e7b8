import Platform
import Timeline

/// A line of the time that a history covers: how many commits when, and what else happened.
///
/// It is drawn from what is known of each segment, so that no record need be read. Commits of a
/// segment are spread evenly over its time.
struct HistoryPicture {
    private static let bars = Array(" ▁▂▃▄▅▆▇█")

    private let from: Timestamp
    private let to: Timestamp
    private let width: Int
    private var counts: [Double]
    private var marks: [Character]

    /// - Parameter width: columns, at least 1.
    init(from: Timestamp, to: Timestamp, width: Int) {
        self.from = from
        self.to = max(from, to)
        self.width = max(1, width)
        counts = Array(repeating: 0, count: max(1, width))
        marks = Array(repeating: " ", count: max(1, width))
    }

    private func column(_ moment: Timestamp) -> Int {
        let span = Double(to.nanosecondsSinceEpoch) - Double(from.nanosecondsSinceEpoch)
        guard span > 0 else { return 0 }
        let passed = Double(moment.nanosecondsSinceEpoch) - Double(from.nanosecondsSinceEpoch)
        return min(width - 1, max(0, Int(passed / span * Double(width))))
    }

    /// Adds the commits of a run.
    mutating func add(_ summary: SegmentSummary) {
        let commits = summary.commits + summary.bases
        guard commits > 0, summary.latest >= from, summary.earliest <= to else { return }
        let (first, last) = (column(summary.earliest), column(summary.latest))
        for column in first...max(first, last) {
            counts[column] += Double(commits) / Double(last - first + 1)
        }
    }

    /// Marks a base, a gap or an epoch.
    mutating func mark(_ record: Record) {
        guard record.seen.wall >= from, record.notBefore <= to else { return }
        switch record.kind {
        case .base: set("B", column(record.seen.wall)...column(record.seen.wall))
        case .epoch: set("E", column(record.seen.wall)...column(record.seen.wall))
        case .gap:
            let end = column(record.seen.wall)
            set("~", min(column(record.notBefore), end)...end)
        default: break
        }
    }

    private mutating func set(_ mark: Character, _ columns: ClosedRange<Int>) {
        // A gap matters more than a base, a new epoch more than both.
        let order: [Character] = [" ", "B", "~", "E"]
        for column in columns
        where (order.firstIndex(of: mark) ?? 0) > (order.firstIndex(of: marks[column]) ?? 0) {
            marks[column] = mark
        }
    }

    /// The commits as bars, the tallest for the most; anything is more than nothing.
    var commits: String {
        let most = counts.max() ?? 0
        return String(
            counts.map { count in
                guard count > 0, most > 0 else { return HistoryPicture.bars[0] }
                return HistoryPicture.bars[max(1, Int((count / most * 8).rounded()))]
            })
    }

    /// The marks below the bars.
    var landmarks: String { String(marks) }

    /// The most commits of a column.
    var most: Int { Int((counts.max() ?? 0).rounded(.up)) }

    /// Nanoseconds that a column stands for.
    var columnNanoseconds: Int64 {
        (to.nanosecondsSinceEpoch - from.nanosecondsSinceEpoch) / Int64(width)
    }
}
