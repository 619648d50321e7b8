import Commands
import Testing

@Suite struct ValueTextTests {
    @Test(
        arguments: [
            ("90s", 90_000), ("5m", 300_000), ("1h30m", 5_400_000), ("2d12h", 216_000_000),
            ("1w", 604_800_000), ("500ms", 500), ("1m500ms", 60_500), ("0s", 0), ("90m", 5_400_000),
        ] as [(String, Int64)])
    func aDurationIsNumbersWithUnits(_ text: String, _ milliseconds: Int64) throws {
        #expect(try DurationText.read(text, of: "it") == .milliseconds(milliseconds))
    }

    @Test(arguments: [
        "", "5", "m", "5x", "-5m", "+5m", "5 m", "1.5h", "30m1h", "5m5m", "5M", "٥m", "101w999999d",
        "99999999999999999999s", "9223372036854775807w",
    ])
    func anythingElseIsNoDuration(_ text: String) {
        let error = #expect(throws: CommandError.self) {
            try DurationText.read(text, of: "option --wait")
        }
        #expect(error?.code == .usage)
        #expect(error?.message.hasPrefix("option --wait is no duration: ") == true)
    }

    @Test(
        arguments: [
            (0, "0s"), (250, "250ms"), (7000, "7s"), (5_400_000, "1h30m"), (864_000_000, "10d"),
            (61_001, "1m1s1ms"),
        ] as [(Int64, String)])
    func aDurationIsWrittenAsItIsRead(_ milliseconds: Int64, _ text: String) throws {
        #expect(DurationText.short(.milliseconds(milliseconds)) == text)
        #expect(try DurationText.read(text, of: "it") == .milliseconds(milliseconds))
    }

    @Test(arguments: [(0, "0:00"), (34, "0:34"), (754, "12:34"), (3723, "1:02:03")])
    func secondsAreWrittenLikeAClock(_ seconds: UInt64, _ text: String) {
        #expect(DurationText.clock(seconds: seconds) == text)
    }

    @Test(arguments: [
        ("1/10", ReadShare.part(number: 1, of: 10)), ("7/7", .part(number: 7, of: 7)),
        ("5%", .percent(5)), ("2.5%", .percent(2.5)), ("100%", .percent(100)),
    ])
    func aShareIsAPartOrAPercentage(_ text: String, _ share: ReadShare) throws {
        #expect(try ReadShare.read(text, of: "it") == share)
    }

    @Test(arguments: [
        "", "/", "1", "0/5", "6/5", "1/0", "1/2/3", "-1/5", "1/1000001", "0%", "101%", "%", "5 %",
        "1e1%", ".5%", "5.%", "nan%", "inf%", "0x5%", "1/99999999999999999999",
    ])
    func anythingElseIsNoShare(_ text: String) {
        #expect(throws: CommandError.self) { try ReadShare.read(text, of: "it") }
    }

    @Test(
        arguments: [
            (0, "0 B"), (1023, "1023 B"), (1024, "1.000 KiB"), (1536, "1.500 KiB"),
            (1_048_575, "1023.999 KiB"), (5_418_101_768, "5.046 GiB"),
            (1 << 60, "1.000 EiB"), (.max, "15.999 EiB"),
        ] as [(UInt64, String)])
    func bytesAreWrittenInPowersOf1024(_ bytes: UInt64, _ text: String) {
        #expect(ByteCountText.shown(bytes) == text)
    }

    @Test(
        arguments: [
            (0, 0, "0.00%"), (0, 5, "0.00%"), (1, 3, "33.33%"), (5, 5, "100.00%"),
            (7, 5, "100.00%"),
            (99_999, 100_000, "99.99%"), (.max - 1, .max, "99.99%"),
        ] as [(UInt64, UInt64, String)])
    func nothingLessIsAHundredPercent(_ part: UInt64, _ whole: UInt64, _ text: String) {
        #expect(ByteCountText.percent(part, of: whole) == text)
    }

    @Test(arguments: [("3", 3), ("1", 1), ("100", 100)])
    func aNumberIsRead(_ text: String, _ number: Int) throws {
        let parsed = try SampleProgram.command(["save", "--tag", text])
        #expect(try parsed.number(SampleProgram.tag, in: 1...100) == number)
    }

    @Test(arguments: ["", "0", "101", "-1", "1.0", "+3", "99999999999999999999"])
    func aNumberOutOfBoundsIsRefused(_ text: String) throws {
        let parsed = try SampleProgram.command(["save", "--tag=\(text)"])
        #expect(throws: CommandError.self) {
            try parsed.number(SampleProgram.tag, in: 1...100)
        }
    }
}
