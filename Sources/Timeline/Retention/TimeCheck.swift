// Ages count back from the newest record or snapshot. So a clock that jumped ahead must not make
// everything else look old. A moment is doubted when it lies more than a day ahead of what its
// predecessor allows:
//
// - of the same boot: the predecessor's time, and the time that passed by BOOTTIME;
// - where the boot changed between the two, nothing tells how long the machine was off: then the
//   boot session that is the newest may begin at most 31 days after the one before;
// - and nothing may lie more than a day ahead of the clock of whoever asks.

package import Platform

/// A dated thing, with what the clock since boot said where that is known.
package struct DatedMoment: Sendable, Hashable {
    package let wall: Timestamp
    /// BOOTTIME in nanoseconds and the boot id; nil where unknown.
    package let boot: UInt64?
    package let bootID: [UInt8]

    package init(wall: Timestamp, boot: UInt64?, bootID: [UInt8]) {
        self.wall = wall
        self.boot = boot
        self.bootID = bootID
    }
}

/// Finds moments whose clock had jumped ahead.
package struct TimeCheck {
    /// Why times cannot be believed.
    package struct Doubt: Error, Sendable, Equatable, CustomStringConvertible {
        package let moment: Timestamp
        package let reason: String

        package var description: String { reason }
    }

    private static let day: Int64 = 86_400
    private static let longestOff: Int64 = 31 * day

    /// The first doubt about moments that are given in the order in which they came about.
    package static func doubt(_ moments: [DatedMoment], now: Timestamp) -> Doubt? {
        var check = TimeCheck(now: now)
        for moment in moments { if let doubt = check.add(moment) { return doubt } }
        return check.doubtOfNewestBoot
    }

    private let now: Timestamp
    private var newest: DatedMoment?
    /// The last moment of another boot than the newest one's, and the first after it.
    private var change: (before: DatedMoment, after: DatedMoment)?

    /// A check of moments that are given one by one, in the order in which they came about.
    init(now: Timestamp) {
        self.now = now
    }

    /// Takes the next moment; answers why it cannot be believed.
    mutating func add(_ moment: DatedMoment) -> Doubt? {
        if let doubt = isAhead(moment.wall) { return doubt }
        if let newest {
            if TimeCheck.hasJumped(newest, moment) { return TimeCheck.jump(to: moment.wall) }
            if !TimeCheck.isSameBoot(newest, moment) { change = (newest, moment) }
        }
        newest = moment
        return nil
    }

    /// Why a moment is ahead of the clock of whoever asks.
    func isAhead(_ wall: Timestamp) -> Doubt? {
        guard wall.seconds - now.seconds > TimeCheck.day else { return nil }
        return Doubt(moment: wall, reason: "it lies more than a day in the future")
    }

    /// Whether of two moments of one boot the second is ahead of what the first allows.
    static func hasJumped(_ before: DatedMoment, _ after: DatedMoment) -> Bool {
        guard isSameBoot(before, after), let start = before.boot, let end = after.boot else {
            return false
        }
        let passed = Int64(clamping: (end > start ? end - start : 0) / 1_000_000_000)
        return after.wall.seconds - before.wall.seconds - passed > day
    }

    static func jump(to moment: Timestamp) -> Doubt {
        Doubt(
            moment: moment,
            reason: "the clock had jumped ahead by more than a day since the one before")
    }

    /// Why the newest boot session, once all moments are known, may begin too late.
    var doubtOfNewestBoot: Doubt? { TimeCheck.doubtOfGap(change?.before, change?.after) }

    private static func doubtOfGap(_ before: DatedMoment?, _ after: DatedMoment?) -> Doubt? {
        guard let before, let after, after.wall.seconds - before.wall.seconds > longestOff else {
            return nil
        }
        return Doubt(
            moment: after.wall,
            reason: "it lies more than 31 days after the one before, and nothing proves that so"
                + " much time has passed")
    }

    private static func isSameBoot(_ left: DatedMoment, _ right: DatedMoment) -> Bool {
        left.boot != nil && right.boot != nil && left.bootID == right.bootID
    }
}
