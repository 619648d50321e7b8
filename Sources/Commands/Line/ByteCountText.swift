/// Counts of bytes and shares as people read them, written as restic writes them.
package enum ByteCountText {
    private static let units = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"]

    /// `512 B`, `1.500 KiB`, `170.438 GiB`: three decimals, rounded down.
    package static func shown(_ bytes: UInt64) -> String {
        guard bytes >= 1024 else { return "\(bytes) B" }
        let power = min(units.count, (63 - bytes.leadingZeroBitCount) / 10)
        let shift = UInt64(power * 10)
        let whole = bytes >> shift
        let rest = bytes & ((1 << shift) - 1)
        let (high, low) = rest.multipliedFullWidth(by: 1000)
        let thousandths = high << (64 - shift) | low >> shift
        return "\(whole).\(padded(thousandths)) \(units[power - 1])"
    }

    /// `2.96%`: two decimals, rounded down, so that 100 % is said of nothing less.
    package static func percent(_ part: UInt64, of whole: UInt64) -> String {
        guard whole > 0 else { return "0.00%" }
        let (high, low) = min(part, whole).multipliedFullWidth(by: 10_000)
        let hundredths = whole.dividingFullWidth((high, low)).quotient
        let rest = hundredths % 100
        return "\(hundredths / 100).\(rest < 10 ? "0" : "")\(rest)%"
    }

    private static func padded(_ number: UInt64) -> String {
        let text = String(number)
        return String(repeating: "0", count: 3 - text.count) + text
    }
}
