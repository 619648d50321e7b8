extension UInt64 {
    /// Adds, and stops at the largest number: what a sparse file claims to be long costs nothing,
    /// and a few such files must not end a backup of all others.
    mutating func add(saturating other: UInt64) {
        let (sum, overflow) = addingReportingOverflow(other)
        self = overflow ? .max : sum
    }
}
