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
package enum TimeCheck {
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
        for moment in moments where moment.wall.seconds - now.seconds > day {
            return Doubt(moment: moment.wall, reason: "it lies more than a day in the future")
        }
        for (before, after) in zip(moments, moments.dropFirst()) where isSameBoot(before, after) {
            guard let start = before.boot, let end = after.boot else { continue }
            let passed = Int64(clamping: (end > start ? end - start : 0) / 1_000_000_000)
            if after.wall.seconds - before.wall.seconds - passed > day {
                return Doubt(
                    moment: after.wall,
                    reason: "the clock had jumped ahead by more than a day since the one before")
            }
        }
        return doubtOfNewestBoot(moments)
    }

    private static func doubtOfNewestBoot(_ moments: [DatedMoment]) -> Doubt? {
        guard let newest = moments.last, newest.boot != nil else {
            return doubtOfGap(moments.dropLast().last, moments.last)
        }
        guard let first = moments.lastIndex(where: { !isSameBoot($0, newest) }) else { return nil }
        return doubtOfGap(moments[first], moments[first + 1])
    }

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
