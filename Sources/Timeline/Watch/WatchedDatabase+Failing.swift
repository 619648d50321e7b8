// What cannot be done now is tried again: soon where the reader that is held is still good, else by
// beginning anew, after a pause that grows. A log that is not what it was taken for makes the next
// beginning a comparison, and is not compared again and again where that happens all the time.

import Platform

extension WatchedDatabase {
    func fail(_ error: any Error, _ now: UInt64) {
        let goesOn = goesOn(after: error)
        let isDoubted = isDoubt(error)
        if !goesOn { stopFollowing(leavingLog: true) }
        let reason = error.reasonAndRemedy
        if reason != lastReason { report(.waiting(path, reason: reason)) }
        lastReason = reason
        if goesOn {
            dueAt = now + WatchedDatabase.patience.lowerBound
            return
        }
        let isFirst = retryPause == WatchedDatabase.patience.lowerBound
        retryPause = min(retryPause * 2, WatchedDatabase.patience.upperBound)
        dueAt = now + retryPause
        guard isDoubted else { return }
        mustCompare = true
        // At once, where that is rare; where it is not, comparing is all that would be done.
        dueAt = isFirst ? now : dueAt
        restsUntil = dueAt
    }

    /// Whether the log of a database that was followed is not what it was taken for.
    private func isDoubt(_ error: any Error) -> Bool {
        guard case .following = phase else { return false }
        return (error as? CaptureError)?.code == .changedWhileReading
    }

    /// Whether the reader that is held is still good: to let it go would cost the commits that come
    /// until the next beginning. Not without end: the log grows meanwhile.
    private func goesOn(after error: any Error) -> Bool {
        guard case .following(let follower) = phase, follower.isIntact, !(error is JournalFull),
            (error as? CaptureError)?.code != .changedWhileReading
        else { return false }
        return follower.logBytes < WatchedDatabase.mostLogBytes
    }
}
