package import Repository

/// How retention's options are written.
package enum RetentionText {
    private static let units: [(name: Character, seconds: Int64)] = [
        ("y", 366 * 86_400), ("m", 31 * 86_400), ("w", 7 * 86_400), ("d", 86_400), ("h", 3600),
    ]
    /// A thousand years.
    private static let longest: Int64 = 1000 * 366 * 86_400

    /// Reads an age as restic writes it, `1y6m`, `2w`, `7d12h`, in seconds: `m` is a month. A month
    /// counts as 31 days and a year as 366, so that rather more stays.
    package static func age(_ text: String, of subject: String) throws(CommandError) -> Int64 {
        let invalid = CommandError.usage(
            "\(subject) is no age: \(PathText.shown(Array(text.utf8)))",
            hint: "write years, months, weeks, days and hours, such as 1y6m, 2w or 7d12h")
        var rest = Substring(text)
        var left = units[...]
        var total: Int64 = 0
        while !rest.isEmpty {
            let digits = rest.prefix { ("0"..."9").contains($0) }
            rest = rest.dropFirst(digits.count)
            guard let count = Int64(digits), let unit = rest.popFirst(),
                let position = left.firstIndex(where: { $0.name == unit })
            else { throw invalid }
            let (product, overflow) = count.multipliedReportingOverflow(by: left[position].seconds)
            guard !overflow, product <= longest - total else { throw invalid }
            total += product
            left = left[(position + 1)...]
        }
        guard !text.isEmpty else { throw invalid }
        return total
    }

    /// Reads an age, or `unlimited`, in nanoseconds.
    static func window(_ text: String, of subject: String) throws(CommandError) -> Int64 {
        if text == "unlimited" { return .max }
        let seconds = try age(text, of: subject)
        let (nanoseconds, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        return overflow ? .max : nanoseconds
    }

    /// Reads how many snapshots a rule keeps: a whole number, or `unlimited`.
    package static func count(_ text: String, of subject: String) throws(CommandError) -> Int {
        if text == "unlimited" { return .max }
        guard text.utf8.count <= 9, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
            let count = Int(text)
        else {
            throw .usage(
                "\(subject) is no number of snapshots: \(PathText.shown(Array(text.utf8)))",
                hint: "write a whole number, or unlimited")
        }
        return count
    }

    /// Reads how much may be unused: `5%`, `500M`, `2G`, `unlimited`.
    package static func unused(
        _ text: String, of subject: String
    ) throws(CommandError) -> UnusedLimit {
        if text == "unlimited" { return .unlimited }
        let invalid = CommandError.usage(
            "\(subject) is no amount: \(PathText.shown(Array(text.utf8)))",
            hint: "write a percentage below 100 such as 5%, a size such as 500M, or unlimited")
        if text.hasSuffix("%") {
            guard let percent = Double(text.dropLast()), percent >= 0, percent < 100 else {
                throw invalid
            }
            return .percent(percent)
        }
        let letters = "KMGT"
        let shift = text.last.flatMap { letters.firstIndex(of: Character($0.uppercased())) }
            .map { UInt64(letters.distance(from: letters.startIndex, to: $0) + 1) * 10 }
        let digits = shift == nil ? text[...] : text.dropLast()
        guard digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let number = UInt64(digits),
            number <= UInt64.max >> (shift ?? 0)
        else { throw invalid }
        return .bytes(number << (shift ?? 0))
    }
}
