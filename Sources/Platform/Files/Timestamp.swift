package import Glibc

/// A moment as seconds since 1970-01-01T00:00:00Z, before it negative, and nanoseconds on top.
///
/// Every moment of the years 1900 to 9999, and far beyond, has its own value.
package struct Timestamp: Hashable, Comparable, Sendable {
    package let seconds: Int64
    /// 0 to 999 999 999, also before 1970.
    package let nanoseconds: UInt32

    /// Whole seconds among the nanoseconds are carried over; the far ends saturate.
    package init(seconds: Int64, nanoseconds: UInt32) {
        let (sum, overflow) = seconds.addingReportingOverflow(Int64(nanoseconds / 1_000_000_000))
        self.seconds = overflow ? .max : sum
        self.nanoseconds = nanoseconds % 1_000_000_000
    }

    package static func of(_ time: timespec) -> Timestamp {
        Timestamp(seconds: Int64(time.tv_sec), nanoseconds: UInt32(clamping: time.tv_nsec))
    }

    package static func < (left: Timestamp, right: Timestamp) -> Bool {
        (left.seconds, left.nanoseconds) < (right.seconds, right.nanoseconds)
    }

    /// The moment so much later, or earlier when negative; the far ends saturate.
    package func adding(nanoseconds delta: Int64) -> Timestamp {
        let (whole, part) = delta.quotientAndRemainder(dividingBy: 1_000_000_000)
        var carry = whole
        var rest = Int64(nanoseconds) + part
        if rest < 0 {
            rest += 1_000_000_000
            carry -= 1
        }
        let (sum, overflow) = seconds.addingReportingOverflow(carry)
        let limit: Int64 = carry < 0 ? .min : .max
        return Timestamp(seconds: overflow ? limit : sum, nanoseconds: UInt32(rest))
    }

    /// Saturates outside the years 1677 to 2262, which is all that 64 bits hold.
    package var nanosecondsSinceEpoch: Int64 {
        let limit: Int64 = seconds < 0 ? .min : .max
        let (product, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        if overflow { return limit }
        let (sum, carried) = product.addingReportingOverflow(Int64(nanoseconds))
        return carried ? limit : sum
    }

    var cValue: timespec {
        timespec(tv_sec: Int(clamping: seconds), tv_nsec: Int(nanoseconds))
    }
}
