extension DatabaseFollower {
    /// Frames that may be left to copy under the write lock.
    private static let lockedFrames: UInt32 = 128
    /// Rounds before the write lock is held for all of the rest. Where writers are faster than they
    /// can be captured, they have to wait, or the log would grow without end.
    private static let rounds = 4

    /// Copies the log into the database and lets the next writer begin it anew; writers wait for a
    /// few milliseconds.
    ///
    /// The order loses nothing in any interleaving: under the write lock nobody appends or resets;
    /// what is in the log is captured and durable; the reader that pinned it ends; the rest is
    /// copied; the next reader finds all of the log in the database, and only then writers go on.
    ///
    /// - Parameters:
    ///   - patience: nanoseconds to try for the write lock.
    ///   - truncates: whether the log's file is to be emptied as well, for when nobody writes.
    /// - Returns: false where the write lock could not be had: the log only grows meanwhile.
    func shrinkLog(
        with keeper: LogKeeper, patience: UInt64, truncates: Bool,
        keep: ([ChangeSet]) throws -> Void
    ) throws -> Bool {
        // Most pages, and most of what must be synced, while writers go on: each round leaves what
        // was committed during the one before, until little is left for the time of the lock.
        for _ in 0..<DatabaseFollower.rounds {
            guard try advance(with: keeper, patience: patience, keep: keep) else { return false }
            try keeper.checkpoint()
            if try framesToCopy() <= DatabaseFollower.lockedFrames { break }
        }
        guard try keeper.lockWriters(patience: patience) else { return false }
        do {
            try captureRest(keep: keep)
            isIntact = false
            held.letGo()
            try keeper.checkpoint()
            try takeOver(begun())
            isIntact = true
        } catch {
            keeper.unlockWriters()
            throw error
        }
        keeper.unlockWriters()
        if truncates, heldIsPastLog { try keeper.truncate() }
        return true
    }

    /// Hands over to a reader of the newest state, whenever the last one did: while the write lock
    /// is held no checkpoint waits for the lock that is given back. False where it was not free.
    private func advance(
        with keeper: LogKeeper, patience: UInt64, keep: ([ChangeSet]) throws -> Void
    ) throws -> Bool {
        let (head, backfilled) = try held.head()
        guard try keeper.lockWriters(patience: patience) else { return false }
        let next: DatabaseReader
        do {
            next = try begun()
        } catch {
            keeper.unlockWriters()
            throw error
        }
        keeper.unlockWriters()
        do {
            try captureRest(keep: keep)
        } catch {
            giveUp(next)
            throw error
        }
        try handOver(to: next, beganAfter: head, backfilled)
        return true
    }

    /// The reader that was held has ended already.
    private func takeOver(_ next: DatabaseReader) throws {
        let (head, backfilled) = try next.head()
        heldIsPastLog = backfilled == head.lastFrame
        heldSince = monotonicNanoseconds()
        heldFrame = head.lastFrame
        (held, spare) = (next, held)
    }

    /// Frames of the log that are not in the database yet.
    private func framesToCopy() throws -> UInt32 {
        let (head, backfilled) = try held.head()
        return head.lastFrame - min(backfilled, head.lastFrame)
    }
}
