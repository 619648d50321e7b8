package import Repository

/// A part of a journal, and what in it counts.
package struct JournalPart: Sendable, Hashable {
    package let number: UInt64
    /// Bytes on disk, those that count for nothing too.
    package internal(set) var size: UInt64
    /// Where what counts ends.
    var counted: UInt64
    package private(set) var records = 0
    package private(set) var first: Position?
    package private(set) var last: Position?
    /// Whether the part is whole by itself, and so tells where the journal ends.
    var isWhole: Bool

    init(number: UInt64, size: UInt64, counted: UInt64, isWhole: Bool) {
        self.number = number
        self.size = size
        self.counted = counted
        self.isWhole = isWhole
    }

    mutating func count(first: Position, last: Position, records: Int, upTo end: UInt64) {
        self.first = self.first ?? first
        self.last = last
        self.records += records
        counted = end
        size = max(size, end)
        isWhole = true
    }
}
