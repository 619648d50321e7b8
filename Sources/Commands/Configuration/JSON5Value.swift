/// A place in a text: both count from 1, columns in Unicode scalars.
package struct TextPlace: Hashable, Comparable, Sendable, CustomStringConvertible {
    package var line: Int
    package var column: Int

    package init(line: Int = 1, column: Int = 1) {
        self.line = line
        self.column = column
    }

    package var description: String { "\(line):\(column)" }

    package static func < (left: TextPlace, right: TextPlace) -> Bool {
        (left.line, left.column) < (right.line, right.column)
    }
}

/// A value of a JSON5 text, and where it begins.
package struct JSON5Value: Sendable {
    package indirect enum Content: Sendable {
        case null
        case bool(Bool)
        case number(Double)
        case string(String)
        case array([JSON5Value])
        /// In the order of the text; no two members have the same name.
        case object([JSON5Member])
    }

    package let content: Content
    package let place: TextPlace

    /// What it is, as a message calls it.
    package var noun: String {
        switch content {
        case .null: "null"
        case .bool: "a truth value"
        case .number: "a number"
        case .string: "a text"
        case .array: "a list"
        case .object: "an object"
        }
    }
}

/// One member of an object.
package struct JSON5Member: Sendable {
    package let name: String
    /// Where the name begins.
    package let place: TextPlace
    package let value: JSON5Value
}

/// Why a text is no JSON5, and where.
package struct JSON5Error: Error, Hashable, Sendable {
    package let place: TextPlace
    /// The names and positions that lead there, such as `services.accounts.trees[1]`.
    package let key: String
    package let problem: String
    package let remedy: String?
}
