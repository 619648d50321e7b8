import Platform
import Testing

struct TimestampTests {
    /// 1900-01-01 and 9999-12-31T23:59:59, from the proleptic Gregorian calendar.
    static let first: Int64 = -2_208_988_800
    static let last: Int64 = 253_402_300_799

    @Test func yearsFrom1900To9999KeepTheirNanoseconds() {
        for seconds in [Self.first, -1, 0, Self.last] {
            let moment = Timestamp(seconds: seconds, nanoseconds: 999_999_999)
            let next = moment.adding(nanoseconds: 1)
            #expect(next == Timestamp(seconds: seconds + 1, nanoseconds: 0))
            #expect(next.adding(nanoseconds: -1) == moment)
            #expect(moment < next)
        }
    }

    static let sums: [(Int64, UInt32, Int64, Int64, UInt32)] = [
        (0, 0, -1, -1, 999_999_999), (5, 1, -2, 4, 999_999_999), (0, 999_999_999, 1, 1, 0),
        (0, 0, .min, -9_223_372_037, 145_224_192), (.max, 0, 1_000_000_000, .max, 0),
    ]

    @Test(arguments: sums)
    func addingCarriesAndSaturates(
        _ seconds: Int64, _ nanoseconds: UInt32, _ delta: Int64, _ sum: Int64, _ rest: UInt32
    ) {
        let moment = Timestamp(seconds: seconds, nanoseconds: nanoseconds)
        #expect(moment.adding(nanoseconds: delta) == Timestamp(seconds: sum, nanoseconds: rest))
    }

    @Test func nanosecondsSinceEpochSaturateOutside64Bits() {
        #expect(Timestamp(seconds: 2, nanoseconds: 3).nanosecondsSinceEpoch == 2_000_000_003)
        #expect(Timestamp(seconds: -1, nanoseconds: 1).nanosecondsSinceEpoch == -999_999_999)
        #expect(Timestamp(seconds: Self.last, nanoseconds: 0).nanosecondsSinceEpoch == .max)
        let past = Timestamp(seconds: 9_223_372_036, nanoseconds: 999_999_999)
        #expect(past.nanosecondsSinceEpoch == .max)
        #expect(Timestamp(seconds: -20_000_000_000, nanoseconds: 0).nanosecondsSinceEpoch == .min)
    }

    @Test func wholeSecondsAmongTheNanosecondsAreCarried() {
        let moment = Timestamp(seconds: 1, nanoseconds: 2_000_000_007)
        #expect(moment == Timestamp(seconds: 3, nanoseconds: 7))
    }
}
