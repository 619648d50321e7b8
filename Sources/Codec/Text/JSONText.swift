/// A value of JSON (RFC 8259) to be written; members keep the order they are given in.
package enum JSONValue: Sendable {
    case null
    case bool(Bool)
    case integer(Int64)
    /// Not a number and the infinities, which JSON lacks, are written as null.
    case number(Double)
    case string(String)
    case array([JSONValue])
    case object([(String, JSONValue)])

    /// The value as one line without spaces and without the newline.
    package var line: String {
        var text = ""
        JSONText.append(self, to: &text)
        return text
    }
}

/// How values of JSON are spelled.
package enum JSONText {
    /// The text between quotation marks, escaped.
    ///
    /// All control characters are escaped, DEL and U+0080 to U+009F too, which JSON would allow: a
    /// line may be shown on a terminal, and a file's name must not steer it.
    package static func quoted(_ text: String) -> String {
        var quoted = ""
        append(quoted: text, to: &quoted)
        return quoted
    }

    static func append(_ value: JSONValue, to text: inout String) {
        switch value {
        case .null: text += "null"
        case .bool(let value): text += value ? "true" : "false"
        case .integer(let value): text += String(value)
        case .number(let value): text += value.isFinite ? String(value) : "null"
        case .string(let value): append(quoted: value, to: &text)
        case .array(let values): append(values, to: &text)
        case .object(let members): append(members, to: &text)
        }
    }

    private static func append(_ values: [JSONValue], to text: inout String) {
        text += "["
        for (index, value) in values.enumerated() {
            if index > 0 { text += "," }
            append(value, to: &text)
        }
        text += "]"
    }

    private static func append(_ members: [(String, JSONValue)], to text: inout String) {
        text += "{"
        for (index, (name, value)) in members.enumerated() {
            if index > 0 { text += "," }
            append(quoted: name, to: &text)
            text += ":"
            append(value, to: &text)
        }
        text += "}"
    }

    private static func append(quoted value: String, to text: inout String) {
        text += "\""
        if value.unicodeScalars.contains(where: isEscaped) {
            for scalar in value.unicodeScalars { append(scalar, to: &text) }
        } else {
            text += value
        }
        text += "\""
    }

    private static func isEscaped(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0..<0x20, 0x22, 0x5C, 0x7F..<0xA0: true
        default: false
        }
    }

    private static func append(_ scalar: Unicode.Scalar, to text: inout String) {
        switch scalar {
        case "\"": text += "\\\""
        case "\\": text += "\\\\"
        case "\n": text += "\\n"
        case "\r": text += "\\r"
        case "\t": text += "\\t"
        case _ where isEscaped(scalar):
            text += "\\u00" + [UInt8(truncatingIfNeeded: scalar.value)].hex
        default: text.unicodeScalars.append(scalar)
        }
    }
}
