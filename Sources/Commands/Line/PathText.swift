/// Bytes of a path or an argument as text that is safe to print.
package enum PathText {
    /// The text with control characters and invalid UTF-8 shown as `\xNN`, byte by byte.
    ///
    /// Also escaped are the characters that reorder a line or break it (U+2028 to U+202E, U+2066
    /// to U+2069), so that a file's name can forge neither a line nor its order on a terminal.
    package static func shown(_ bytes: [UInt8]) -> String {
        var text = ""
        var decoder = Unicode.UTF8.ForwardParser()
        var rest = bytes.makeIterator()
        var position = 0
        while true {
            switch decoder.parseScalar(from: &rest) {
            case .valid(let encoded):
                let scalar = Unicode.UTF8.decode(encoded)
                let count = encoded.count
                if isPrintable(scalar) {
                    text.unicodeScalars.append(scalar)
                } else {
                    for byte in bytes[position..<position + count] { text += escaped(byte) }
                }
                position += count
            case .error(let length):
                for byte in bytes[position..<position + length] { text += escaped(byte) }
                position += length
            case .emptyInput:
                return text
            }
        }
    }

    /// A message that may quote what someone else wrote, its own line ends kept.
    package static func shown(message: String) -> String {
        message.split(separator: "\n", omittingEmptySubsequences: false)
            .map { shown(Array($0.utf8)) }.joined(separator: "\n")
    }

    /// The first line of a message that somebody else wrote.
    package static func firstLine(of message: String) -> String {
        shown(Array(message.utf8.prefix { $0 != UInt8(ascii: "\n") }))
    }

    /// Whether the bytes are UTF-8, and may stand in JSON as they are.
    package static func isUTF8(_ bytes: [UInt8]) -> Bool {
        String(validating: bytes, as: UTF8.self) != nil
    }

    private static func isPrintable(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0..<0x20, 0x7F..<0xA0, 0x2028...0x202E, 0x2066...0x2069: false
        default: true
        }
    }

    private static func escaped(_ byte: UInt8) -> String {
        let digits = Array("0123456789ABCDEF")
        return "\\x\(digits[Int(byte >> 4)])\(digits[Int(byte & 15)])"
    }
}
