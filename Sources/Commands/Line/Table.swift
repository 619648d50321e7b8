/// Rows under headings, as `snapshots` prints them.
package struct Table: Sendable {
    /// To which side a column's text leans.
    package enum Side: Sendable {
        case left
        case right
    }

    /// A column's heading and side.
    package struct Column: Sendable {
        let title: String
        let side: Side

        /// Makes a column.
        package init(_ title: String, _ side: Side = .left) {
            self.title = title
            self.side = side
        }
    }

    private let columns: [Column]
    private var rows: [[[String]]] = []

    /// Makes an empty table.
    package init(_ columns: Column...) {
        self.columns = columns
    }

    /// Whether there is no row.
    package var isEmpty: Bool { rows.isEmpty }

    /// Adds a row of one cell a column; what lacks is empty.
    package mutating func add(_ cells: String...) {
        add(cells.map { [$0] })
    }

    /// Adds a row whose cells may have several lines each.
    package mutating func add(_ cells: [[String]]) {
        rows.append((0..<columns.count).map { $0 < cells.count ? cells[$0] : [] })
    }

    /// The table's lines: headings, a rule, the rows, a rule.
    package var lines: [String] {
        let widths = columns.indices.map(width)
        let rule = String(
            repeating: "-", count: widths.reduce(0, +) + 2 * max(0, columns.count - 1))
        let heading = line(columns.map(\.title), widths)
        return [heading, rule] + rows.flatMap { lines(of: $0, widths) } + [rule]
    }

    private func width(_ column: Int) -> Int {
        let cells = rows.lazy.flatMap { $0[column] }.map(\.count)
        return max(columns[column].title.count, cells.max() ?? 0)
    }

    private func lines(of row: [[String]], _ widths: [Int]) -> [String] {
        let height = row.map(\.count).max() ?? 0
        return (0..<height).map { index in
            line(row.map { index < $0.count ? $0[index] : "" }, widths)
        }
    }

    private func line(_ cells: [String], _ widths: [Int]) -> String {
        var text = ""
        for (index, cell) in cells.enumerated() {
            let padding = String(repeating: " ", count: widths[index] - cell.count)
            text += columns[index].side == .left ? cell + padding : padding + cell
            if index < cells.count - 1 { text += "  " }
        }
        while text.last == " " { text.removeLast() }
        return text
    }
}
