/// Sizes as people write them: `64KiB`, `1GiB`.
package enum ByteSizeText {
    private static let units: [(name: String, shift: UInt64)] = [
        ("KiB", 10), ("MiB", 20), ("GiB", 30), ("TiB", 40), ("B", 0),
    ]

    /// Reads a whole number and a unit, B, KiB, MiB, GiB or TiB; nil for anything else.
    ///
    /// A number alone is none: nobody can tell what it counts. Neither is `GB`, of which half of
    /// all people think that it has 2^30 bytes.
    package static func read(_ text: String) -> UInt64? {
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        let name = text.dropFirst(digits.count)
        guard let count = UInt64(digits), let unit = units.first(where: { $0.name == name }),
            count <= UInt64(Int64.max) >> unit.shift
        else { return nil }
        return count << unit.shift
    }
}
