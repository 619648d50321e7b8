extension FilePath: CustomStringConvertible {
    /// UTF-8 as it is; bytes that are not UTF-8, and control characters, as `\x1B`, so that a
    /// message stays one line and moves no cursor.
    package var description: String {
        if let text = String(validating: bytes, as: UTF8.self),
            !text.unicodeScalars.contains(where: \.isControl)
        {
            return text
        }
        return escaped
    }

    private var escaped: String {
        var text = ""
        var index = 0
        var parser = Unicode.UTF8.ForwardParser()
        var iterator = bytes.makeIterator()
        while true {
            switch parser.parseScalar(from: &iterator) {
            case .emptyInput:
                return text
            case .valid(let encoded):
                let scalar = Unicode.UTF8.decode(encoded)
                if scalar.isControl {
                    appendEscaped(index..<index + encoded.count, to: &text)
                } else {
                    text.unicodeScalars.append(scalar)
                }
                index += encoded.count
            case .error(let length):
                appendEscaped(index..<index + length, to: &text)
                index += length
            }
        }
    }

    private func appendEscaped(_ range: Range<Int>, to text: inout String) {
        for byte in bytes[range] {
            let digits = String(byte, radix: 16, uppercase: true)
            text += digits.count == 1 ? "\\x0" + digits : "\\x" + digits
        }
    }
}

extension Unicode.Scalar {
    /// C0, DEL and C1.
    fileprivate var isControl: Bool {
        value < 0x20 || (0x7F..<0xA0).contains(value)
    }
}
