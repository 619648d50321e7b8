/// Something in a configuration that is wrong: where, what, and what would be right.
package struct ConfigurationMistake: Hashable, Sendable {
    package let place: TextPlace
    /// Such as `services.accounts.schedule`; empty for the whole.
    package let key: String
    /// In lower case, without a full stop.
    package let problem: String
    package let remedy: String?

    package init(at place: TextPlace, key: String, _ problem: String, remedy: String? = nil) {
        self.place = place
        self.key = key
        self.problem = problem
        self.remedy = remedy
    }

    init(_ error: JSON5Error) {
        self.init(at: error.place, key: error.key, error.problem, remedy: error.remedy)
    }

    /// `12:5: services.accounts.schedul: there is no such key; did you mean schedule?`
    package var line: String {
        "\(place): " + (key.isEmpty ? "" : "\(key): ") + problem + (remedy.map { "; \($0)" } ?? "")
    }
}

/// A value of a configuration that is checked further, with where it stands.
package struct Located<Value: Sendable>: Sendable {
    package let value: Value
    package let place: TextPlace
    package let key: String

    /// A mistake in it.
    package func mistake(_ problem: String, remedy: String? = nil) -> ConfigurationMistake {
        ConfigurationMistake(at: place, key: key, problem, remedy: remedy)
    }
}
