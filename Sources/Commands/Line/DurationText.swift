/// Durations as people write them (`90s`, `5m`, `1h30m`) and read them (`1:02:03`).
package enum DurationText {
    private static let units: [(name: String, milliseconds: Int64)] = [
        ("w", 604_800_000), ("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000),
        ("ms", 1),
    ]

    /// A hundred years; no duration that is longer was meant.
    private static let longestMilliseconds: Int64 = 3_155_760_000_000

    /// Reads whole numbers with units, the greater unit first: `1w`, `2d12h`, `1h30m`, `500ms`.
    ///
    /// Throws a usage error that names `subject` for anything else, and above a hundred years.
    package static func read(
        _ text: String, of subject: String
    ) throws(CommandError) -> Duration {
        let invalid = CommandError.usage(
            "\(subject) is no duration: \(PathText.shown(Array(text.utf8)))",
            hint: "write numbers with units, such as 90s, 5m or 1h30m")
        var rest = Substring(text)
        var total: Int64 = 0
        var unitsLeft = units[...]
        while !rest.isEmpty {
            let digits = rest.prefix { ("0"..."9").contains($0) }
            rest = rest.dropFirst(digits.count)
            let name = rest.prefix { !("0"..."9").contains($0) }
            rest = rest.dropFirst(name.count)
            guard
                let count = Int64(digits),
                let position = unitsLeft.firstIndex(where: { $0.name == name })
            else { throw invalid }
            let (product, overflow) = count.multipliedReportingOverflow(
                by: units[position].milliseconds)
            guard !overflow, product <= longestMilliseconds - total else { throw invalid }
            total += product
            unitsLeft = units[(position + 1)...]
        }
        guard !text.isEmpty else { throw invalid }
        return .milliseconds(total)
    }

    /// Writes whole seconds like a clock, as restic does: `0:07`, `12:34`, `1:02:03`.
    package static func clock(seconds: UInt64) -> String {
        let (minutes, second) = (seconds / 60, seconds % 60)
        guard minutes >= 60 else { return "\(minutes):\(padded(second))" }
        return "\(minutes / 60):\(padded(minutes % 60)):\(padded(second))"
    }

    /// Writes a duration as it is read: `250ms`, `7s`, `1h30m`; less than a millisecond is `0s`.
    package static func short(_ duration: Duration) -> String {
        let (seconds, attoseconds) = duration.components
        var rest = max(0, seconds * 1000 + attoseconds / 1_000_000_000_000_000)
        // Weeks read badly: 10d, not 1w3d.
        var text = ""
        for unit in units.dropFirst() where rest >= unit.milliseconds {
            text += "\(rest / unit.milliseconds)\(unit.name)"
            rest %= unit.milliseconds
        }
        return text.isEmpty ? "0s" : text
    }

    private static func padded(_ number: UInt64) -> String {
        number < 10 ? "0\(number)" : "\(number)"
    }
}
