import Commands
import Platform
import Testing

@Suite struct TimeTests {
    /// 2026-03-01 12:00:00 UTC.
    static let now = Timestamp(seconds: 1_772_366_400, nanoseconds: 250_000_000)

    /// Central Europe in 2026: summer time from 29 March 01:00 UTC to 25 October 01:00 UTC.
    static let berlin = LocalZone { seconds in
        (1_774_746_000..<1_792_890_000).contains(seconds) ? 7200 : 3600
    }

    static func read(_ text: String) throws -> [Timestamp] {
        try TimeReader(now: now, zone: berlin).read(text, of: "option --at")
    }

    @Test(
        arguments: [
            ("2026-03-01T12:00:00Z", 1_772_366_400, 0),
            ("2026-03-01t12:00:00z", 1_772_366_400, 0),
            ("2026-03-01T13:00:00.25+01:00", 1_772_366_400, 250_000_000),
            ("2026-03-01 13:00:00.000000001 +01:00", 1_772_366_400, 1),
            ("2026-03-01T05:30:00-0630", 1_772_366_400, 0),
            ("2026-03-01 13:00", 1_772_366_400, 0),
            ("2026-03-01 13:00:01.5", 1_772_366_401, 500_000_000),
            ("2026-07-01 14:00:00", 1_782_907_200, 0),
            ("2024-02-29T00:00:00Z", 1_709_164_800, 0),
            ("1969-12-31T23:59:59Z", -1, 0),
            ("-15m", 1_772_365_500, 250_000_000),
            ("-500ms", 1_772_366_399, 750_000_000),
        ] as [(String, Int64, UInt32)])
    func aTimeNamesOneMoment(_ text: String, _ seconds: Int64, _ nanoseconds: UInt32) throws {
        let moment = Timestamp(seconds: seconds, nanoseconds: nanoseconds)
        #expect(try Self.read(text) == [moment])
    }

    @Test func aTimeTheClocksShowedTwiceNamesBothMoments() throws {
        let seconds = try Self.read("2026-10-25 02:30:00").map(\.seconds)
        #expect(seconds == [1_792_888_200, 1_792_891_800])
    }

    @Test func aTimeTheClocksSkippedIsRefused() throws {
        let error = #expect(throws: CommandError.self) { try Self.read("2026-03-29 02:30") }
        #expect(error?.hint?.contains("skipped") == true)
        #expect(try Self.read("2026-03-29 03:00").map(\.seconds) == [1_774_746_000])
    }

    @Test(arguments: [
        "", "-", "now", "15m", "2026-03-01", "2026-02-30 12:00", "2026-13-01 12:00",
        "2026-03-01 24:00", "2026-03-01 12:60", "2026-03-01T12:00:60Z", "2026-03-01 12:00:00.",
        "2026-03-01 12:00:00.1234567890", "26-03-01 12:00", "2026-03-01T12:00:00+25:00",
        "2026-03-01 12:00:00 ", "2026-03-01T12:00:00Zx", "2026/03/01 12:00", "-15",
        "2026-03-01T12:00:00+1",
    ])
    func anythingElseIsNoTime(_ text: String) {
        let error = #expect(throws: CommandError.self) { try Self.read(text) }
        #expect(error?.code == .usage)
        #expect(error?.message.hasPrefix("option --at ") == true)
    }

    @Test(arguments: [
        (TimeText.Precision.seconds, "2026-03-01 13:00:00 +01:00"),
        (.milliseconds, "2026-03-01 13:00:00.250 +01:00"),
        (.nanoseconds, "2026-03-01 13:00:00.250000000 +01:00"),
    ])
    func aMomentIsPrintedWithItsZone(_ precision: TimeText.Precision, _ text: String) {
        #expect(TimeText.shown(Self.now, in: Self.berlin, precision: precision) == text)
    }

    @Test func programsReadRFC3339() {
        #expect(
            TimeText.rfc3339(Self.now, in: Self.berlin) == "2026-03-01T13:00:00.250000000+01:00")
        let west = LocalZone { _ in -12_600 }
        #expect(TimeText.shown(Self.now, in: west) == "2026-03-01 08:30:00 -03:30")
    }

    @Test(
        arguments: [0, -1, 1_774_745_999, 1_774_746_000, 1_792_889_999, 1_792_890_000] as [Int64])
    func whatIsPrintedIsReadAgain(_ seconds: Int64) throws {
        let moment = Timestamp(seconds: seconds, nanoseconds: 123_456_789)
        let text = TimeText.shown(moment, in: Self.berlin, precision: .nanoseconds)
        #expect(try Self.read(text) == [moment])
        #expect(try Self.read(TimeText.rfc3339(moment, in: Self.berlin)) == [moment])
    }

    @Test(arguments: [Int64.min, .max]) func aMomentNoCalendarHoldsIsPrintedAsSeconds(_ s: Int64) {
        let moment = Timestamp(seconds: s, nanoseconds: 0)
        #expect(TimeText.shown(moment, in: .utc) == "@\(s)")
    }

    @Test func theZoneOfTheProcessIsAWholeDayAtMost() {
        let offset = LocalZone.system().offsetSeconds(Self.now.seconds)
        #expect((-86_400...86_400).contains(offset))
    }
}
