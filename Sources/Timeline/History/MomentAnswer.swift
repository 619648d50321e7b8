import Platform

/// A state that can be gone back to, and what came after it.
package struct RestorePoint: Sendable, Hashable {
    package let record: RecordHandle
    /// The commit after it; nil where none is recorded.
    package let next: RecordHandle?

    package init(_ record: RecordHandle, next: RecordHandle?) {
        self.record = record
        self.next = next
    }
}

/// Why no recorded state is known to be that of a moment.
package enum Doubt: String, Sendable {
    /// Nothing was recorded yet.
    case beforeHistory = "before_history"
    /// Nobody vouches for what was there after the newest record.
    case afterHistory = "after_history"
    case future
    /// Commits were missed.
    case gap
    /// The next state was found long after the look before, and may have come to be before the
    /// moment: by comparing, or in a log that nobody watched.
    case unseen
    /// Records are missing in the repository.
    case missing
    /// The state was recorded, and a prune has forgotten it.
    case forgotten
}

/// What a history knows of a moment.
package enum MomentAnswer: Sendable {
    case point(RestorePoint)
    /// No recorded state is known to be the one: the nearest on both sides.
    case between(before: RecordHandle?, after: RecordHandle?, Doubt)
    /// The clock showed the moment more than once.
    case several([RestorePoint])

    package var isCertain: Bool {
        if case .point = self { return true }
        return false
    }
}
