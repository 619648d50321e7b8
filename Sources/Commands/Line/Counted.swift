/// Counts as people say them: `1 snapshot`, `2 snapshots`.
package enum Counted {
    /// The number and its noun; without a plural the noun takes an `s`.
    package static func of(_ count: UInt64, _ singular: String, _ plural: String? = nil) -> String {
        "\(count) \(count == 1 ? singular : plural ?? singular + "s")"
    }
}
