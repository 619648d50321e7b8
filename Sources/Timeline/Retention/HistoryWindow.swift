package import Platform

/// How long every recorded state of each database stays, counted back from its newest.
package struct HistoryWindow: Sendable {
    /// Nanoseconds, for databases that no rule names.
    private let standard: Int64
    private let rules: [(path: FilePath, nanoseconds: Int64)]
    /// Whose databases the rules name.
    private let host: String

    /// - Parameters:
    ///   - standard: nanoseconds.
    ///   - rules: databases, or directories above them, of that host; the nearest one counts.
    package init(
        _ standard: Int64, rules: [(path: FilePath, nanoseconds: Int64)] = [], host: String = ""
    ) {
        self.standard = standard
        self.rules = rules
        self.host = host
    }

    /// Nanoseconds for the database of a stream.
    package func nanoseconds(of identity: StreamIdentity) -> Int64 {
        guard identity.host == host else { return standard }
        let components = FilePath(bytes: identity.path).components
        let above = rules.filter { components.starts(with: $0.path.components) }
        return above.max { $0.path.components.count < $1.path.components.count }?.nanoseconds
            ?? standard
    }
}
