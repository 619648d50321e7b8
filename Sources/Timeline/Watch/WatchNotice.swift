package import Platform
package import Repository

/// Something a watch has to tell.
package enum WatchNotice: Sendable {
    /// Capture of a database begins at a position; how the past was joined.
    case began(FilePath, Position, Beginning)
    /// A database without a log has changed, and what differs is recorded.
    case recorded(FilePath, Position, pages: UInt32)
    /// A database cannot be captured for now, and why; tried again by itself.
    case waiting(FilePath, reason: String)
    /// SQLite left a log whose checksums break: after a crash it would cut it there.
    case logBroken(FilePath)
    /// Its file is gone; the stream stays as it is.
    case ended(FilePath)
    /// The state at a position cannot be put together any more: a complete base is recorded.
    case historyHurt(FilePath, Position)
    /// The journal was hurt: what is lost, and where it lies.
    case journalHurt(FilePath, JournalLoss)
    /// A restore put the state of a position back: an epoch began.
    case putBack(FilePath, Position, from: Position)
    /// Records up to a position lie in the repository.
    case sealed(FilePath, Position, records: Int, bytes: UInt64)
    /// The repository cannot be written for now: the journal keeps the commits.
    case repositoryAway(reason: String)
    case repositoryBack
    /// The watch ends, and could not seal all: the next one does.
    case leftInJournal(FilePath, records: Int)
    /// The watch ends, and could not record what a database holds now.
    case leftUnrecorded(FilePath, reason: String)
    /// The journal is full, and commits are no longer recorded one by one.
    case journalFull(FilePath, bytes: UInt64)
    /// A recent state was restored, and is what was recorded.
    case selfChecked(FilePath, Position)
    /// A recent state was restored and is not what was recorded.
    case selfCheckFailed(FilePath, Position, reason: String)

    /// How a capture joined what was recorded before.
    package enum Beginning: Sendable {
        /// The first record of a stream, or a complete base.
        case base
        /// Where the last capture ended, with no commit between.
        case continued
        /// By comparison: what differed was recorded as one step.
        case compared(pages: UInt32)
        /// The same, and all of it was recorded as a complete base.
        case comparedToBase
        /// A database without a log has changed.
        case changed(pages: UInt32)
        /// Behind a record that says that the database went back.
        case wentBack
    }
}
