import Codec
import Testing

struct TextTests {
    @Test func membersKeepTheirOrderAndNothingIsSpaced() {
        let value = JSONValue.object([
            ("message_type", .string("summary")), ("files", .integer(-3)), ("rate", .number(0.5)),
            ("dry", .bool(true)), ("wet", .bool(false)), ("none", .null),
            ("list", .array([.integer(1), .array([]), .object([])])),
            ("again", .object([("a", .null)])),
        ])
        #expect(
            value.line == """
                {"message_type":"summary","files":-3,"rate":0.5,"dry":true,"wet":false,"none":null,\
                "list":[1,[],{}],"again":{"a":null}}
                """)
    }

    @Test(arguments: [
        ("plain ü 🎈", "\"plain ü 🎈\""), ("a\"b\\c/d", "\"a\\\"b\\\\c/d\""),
        ("\n\r\t", "\"\\n\\r\\t\""), ("\r\n", "\"\\r\\n\""),
        ("\0\u{1}\u{1B}[2J", "\"\\u0000\\u0001\\u001b[2J\""),
        ("\u{7F}\u{9B}\u{A0}", "\"\\u007f\\u009b\u{A0}\""),
        ("e\u{301}\"\u{301}", "\"e\u{301}\\\"\u{301}\""),
        ("", "\"\""),
    ])
    func textIsEscaped(text: String, line: String) {
        #expect(Array(JSONValue.string(text).line.utf8) == Array(line.utf8))
        #expect(Array(JSONText.quoted(text).utf8) == Array(line.utf8))
        #expect(JSONValue.object([(text, .null)]).line.utf8.elementsEqual("{\(line):null}".utf8))
    }

    @Test(arguments: 0...0xFF as ClosedRange<UInt8>)
    func aLineHoldsNoControlCharacter(value: UInt8) {
        let line = JSONValue.string("a" + String(Unicode.Scalar(value))).line
        #expect(line.unicodeScalars.allSatisfy { $0.properties.generalCategory != .control })
    }

    @Test(
        arguments: [
            (0, "0.0"), (-0.25, "-0.25"), (1e300, "1e+300"), (1e-7, "1e-07"), (.infinity, "null"),
            (-.infinity, "null"), (.nan, "null"),
        ] as [(Double, String)])
    func numbersAreThoseOfJSON(value: Double, line: String) {
        #expect(JSONValue.number(value).line == line)
    }

    @Test func integersAreExact() {
        #expect(JSONValue.integer(.max).line == "9223372036854775807")
        #expect(JSONValue.integer(.min).line == "-9223372036854775808")
    }

    /// RFC 4648 section 10.
    @Test(arguments: [
        ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="),
        ("fooba", "Zm9vYmE="), ("foobar", "Zm9vYmFy"),
    ])
    func base64IsThatOfRFC4648(plain: String, text: String) {
        #expect(Base64.encode(Array(plain.utf8)) == text)
    }

    @Test func base64UsesTheWholeAlphabet() {
        #expect(Base64.encode([0x00, 0x10, 0x83, 0xFB, 0xFF, 0xBF]) == "ABCD+/+/")
    }

    @Test func hexComesBack() {
        let all = Array(0...UInt8.max)
        #expect(all.hex.count == 512)
        #expect(Hex.decode(all.hex) == all)
        #expect(([0, 0x0F, 0xA0] as [UInt8]).hex == "000fa0")
        #expect(([] as [UInt8]).hex == "")
        #expect(Hex.decode("") == [])
    }

    @Test(arguments: ["0", "0g", "0A", " 0", "é", "0 ", "００"])
    func textThatIsNotHexIsRefused(text: String) {
        #expect(Hex.decode(text) == nil)
    }
}
