package import Platform

/// Why a repository could not do what was asked, and what mends it.
package struct RepositoryError: Error, Sendable, CustomStringConvertible {
    /// The kinds of failure a caller may want to tell apart.
    package struct Code: Hashable, Sendable {
        private enum Kind: Hashable {
            case missing, exists, wrongPassword, damaged, version, locked, revoked, readOnly, absent
            case refused
        }
        private let kind: Kind

        /// There is no repository at the place.
        package static let missing = Code(kind: .missing)
        /// There is a repository already.
        package static let exists = Code(kind: .exists)
        /// No key opens with the password.
        package static let wrongPassword = Code(kind: .wrongPassword)
        /// Stored bytes are not what was written.
        package static let damaged = Code(kind: .damaged)
        /// A newer Holdfast made this.
        package static let version = Code(kind: .version)
        /// Somebody else works on the same thing.
        package static let locked = Code(kind: .locked)
        /// Our lease was revoked while we were away.
        package static let revoked = Code(kind: .revoked)
        /// The place takes no writes.
        package static let readOnly = Code(kind: .readOnly)
        /// A name or an id that stands for nothing here, or for several things.
        package static let absent = Code(kind: .absent)
        /// What was asked for could destroy what should be kept.
        package static let refused = Code(kind: .refused)
    }

    package let code: Code
    package let message: String
    /// A sentence that says what to do, where there is something to do.
    package let hint: String?
    /// What the system said, where it was the system.
    package let underlying: SystemError?

    package init(
        _ code: Code, _ message: String, hint: String? = nil, underlying: SystemError? = nil
    ) {
        self.code = code
        self.message = message
        self.hint = hint
        self.underlying = underlying
    }

    package var description: String {
        guard let underlying else { return message }
        return "\(message): \(underlying)"
    }
}

extension RepositoryError {
    /// Stored bytes that fail a check, with where they lie.
    static func damage(_ what: String, in location: String) -> RepositoryError {
        RepositoryError(
            .damaged, "\(location): \(what)",
            hint: "Run 'holdfast verify --read-data' to see what is hurt.")
    }
}
