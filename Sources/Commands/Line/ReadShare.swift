/// Which part of the stored data `verify` reads.
package enum ReadShare: Hashable, Sendable {
    /// Part `number` (from 1) of `count` parts of equal size.
    case part(number: Int, of: Int)
    /// A random choice of this many per cent, above 0 and at most 100.
    case percent(Double)

    /// The greatest count of parts.
    package static let mostParts = 1_000_000

    /// Reads `n/m` with 1 ≤ n ≤ m, or `x%` with 0 < x ≤ 100 and decimals if wanted.
    ///
    /// Throws a usage error that names `subject` for anything else.
    package static func read(_ text: String, of subject: String) throws(CommandError) -> ReadShare {
        if let share = part(text) ?? percent(text) { return share }
        throw .usage(
            "\(subject) is no share: \(PathText.shown(Array(text.utf8)))",
            hint: "write n/m, such as 1/10 for the first of ten parts, or a percentage such as 5%")
    }

    private static func part(_ text: String) -> ReadShare? {
        let halves = text.split(separator: "/", omittingEmptySubsequences: false)
        guard halves.count == 2, halves.allSatisfy(isNumber) else { return nil }
        guard let number = Int(halves[0]), let count = Int(halves[1]) else { return nil }
        guard count <= mostParts, number >= 1, number <= count else { return nil }
        return .part(number: number, of: count)
    }

    private static func percent(_ text: String) -> ReadShare? {
        guard text.hasSuffix("%") else { return nil }
        let digits = text.dropLast()
        let halves = digits.split(separator: ".", omittingEmptySubsequences: false)
        guard (1...2).contains(halves.count), halves.allSatisfy(isNumber) else { return nil }
        guard let percent = Double(String(digits)), percent > 0, percent <= 100 else { return nil }
        return .percent(percent)
    }

    private static func isNumber(_ text: Substring) -> Bool {
        (1...12).contains(text.count) && text.allSatisfy { ("0"..."9").contains($0) }
    }
}
