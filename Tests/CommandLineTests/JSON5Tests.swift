import Commands
import Testing

@Suite struct JSON5Tests {
    private func parse(_ text: String) throws -> JSON5Value {
        try JSON5Parser.parse(Array(text.utf8))
    }

    private func number(_ text: String) throws -> Double? {
        if case .number(let number) = try parse(text).content { number } else { nil }
    }

    private func string(_ text: String) throws -> String? {
        if case .string(let string) = try parse(text).content { string } else { nil }
    }

    private func members(_ text: String) throws -> [JSON5Member] {
        if case .object(let members) = try parse(text).content { members } else { [] }
    }

    @Test(
        arguments: [
            ("0", 0), ("12", 12), ("-1.5", -1.5), ("+.5", 0.5), ("5.", 5), ("5.e2", 500),
            ("1E-2", 0.01), ("0x1F", 31), ("-0Xa", -10), ("Infinity", .infinity),
            ("-Infinity", -.infinity),
        ] as [(String, Double)])
    func numbersAreReadAsJSON5WritesThem(_ text: String, _ expected: Double) throws {
        #expect(try number(text) == expected)
    }

    @Test(
        arguments: [
            (#""a'b""#, "a'b"), (#"'a"b'"#, "a\"b"), (#""\n\t\\\/\q""#, "\n\t\\/q"),
            (#""\x41\u00e9\uD83D\uDE00\0""#, "Aé😀\0"), ("'a\\\nb\\\r\nc'", "abc"), ("'ä'", "ä"),
        ])
    func textsAreReadAsJSON5WritesThem(_ text: String, _ expected: String) throws {
        #expect(try string(text) == expected)
    }

    @Test func commentsTrailingCommasAndBareKeysAreWelcome() throws {
        let text = """
            // of this host
            {
              bare: 1, $a_1: [1, /* two */ 2,],
              'single': true, "double": null, größe: {},
            }
            """
        #expect(
            try members(text).map(\.name) == ["bare", "$a_1", "single", "double", "größe"])
    }

    @Test func eachKeyAndValueKnowsItsPlace() throws {
        let found = try members("{\n  a: 1,\r\n  /* ä */ bcd:\n    [true],\r  e: 'x' }")
        #expect(found.map(\.place.description) == ["2:3", "3:11", "5:3"])
        #expect(found.map(\.value.place.description) == ["2:6", "4:5", "5:6"])
    }

    @Test(
        arguments: [
            ("", "1:1", ""), ("{", "1:2", ""), ("{a:1", "1:5", ""), ("[1 2]", "1:3", ""),
            ("{a:1,}x", "1:7", ""), ("{a: 01}", "1:5", "a"), ("{a: 15m}", "1:5", "a"),
            ("{a: yes}", "1:5", "a"), ("{a: {b: [1,\n'x}]}", "2:1", "a.b[1]"),
            ("{a: 1, a: 2}", "1:8", "a"), ("{a 1}", "1:4", "a"), ("{1a: 1}", "1:2", ""),
            ("{,}", "1:2", ""), ("/* x", "1:1", ""), ("'\\u12'", "1:2", ""),
            ("'\\uD83D'", "1:2", ""), ("'\\1'", "1:2", ""), ("0x", "1:1", ""), ("1e", "1:1", ""),
            (".", "1:1", ""), ("--1", "1:1", ""), ("'a\nb'", "1:1", ""), ("a:1", "1:1", ""),
        ])
    func whatIsNoJSON5IsNamedWithItsPlaceAndKey(
        _ text: String, _ place: String, _ key: String
    ) {
        let error = #expect(throws: JSON5Error.self) { try parse(text) }
        #expect(error?.place.description == place, "\(error.map { "\($0)" } ?? "")")
        #expect(error?.key == key)
        #expect(error?.problem.isEmpty == false)
    }

    @Test func whatIsNotUTF8IsNamedWithItsPlace() {
        let error = #expect(throws: JSON5Error.self) {
            try JSON5Parser.parse(Array("{\n a: '".utf8) + [0xFF] + Array("'}".utf8))
        }
        #expect(error?.place.description == "2:6")
    }

    @Test func depthAndSizeAreBounded() throws {
        func nested(_ depth: Int) -> String {
            String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
        }
        _ = try parse(nested(JSON5Parser.depthLimit))
        #expect(throws: JSON5Error.self) { try parse(nested(JSON5Parser.depthLimit + 1)) }
        #expect(throws: JSON5Error.self) { try parse(nested(200_000)) }
        #expect(throws: JSON5Error.self) {
            try parse(String(repeating: " ", count: JSON5Parser.sizeLimit) + "1")
        }
    }

    /// Every cut of a text, and every byte of it replaced, is read or refused, and ends no process.
    @Test func hurtTextsAreRefusedAndNothingElse() throws {
        let text = Array(
            "{a: [1, .5e3, 'x\\u0041\\\n', \"ä\"], /* c */ b: {c: true, d: 0x1f,},} // e".utf8)
        for count in text.indices {
            #expect(throws: JSON5Error.self) { try JSON5Parser.parse(Array(text[..<count])) }
            if count > 60 { break }
        }
        for index in text.indices {
            for byte in [0, 0x22, 0x27, 0x2C, 0x2F, 0x3A, 0x5B, 0x5C, 0x5D, 0x7B, 0x7D, 0xC3, 0xFF]
                as [UInt8]
            {
                var hurt = text
                hurt[index] = byte
                _ = try? JSON5Parser.parse(hurt)
            }
        }
    }
}
