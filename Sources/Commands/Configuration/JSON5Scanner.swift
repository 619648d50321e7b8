// The lexical part of JSON5 (<https://spec.json5.org>): blanks, comments, texts, numbers, names.
//
// Not taken: escapes in names without quotes, and a lone surrogate in a text.

/// Walks over a text, scalar by scalar, and knows where it is.
struct JSON5Scanner {
    /// A mistake at a place, before it is known under which key.
    struct Mistake: Error {
        let place: TextPlace
        let problem: String
        var remedy: String?
    }

    private let scalars: [Unicode.Scalar]
    private var index = 0
    private(set) var place = TextPlace()

    init(_ text: String) {
        scalars = Array(text.unicodeScalars)
    }

    var current: Unicode.Scalar? { index < scalars.count ? scalars[index] : nil }

    private var following: Unicode.Scalar? {
        index + 1 < scalars.count ? scalars[index + 1] : nil
    }

    mutating func advance() {
        guard let scalar = current else { return }
        // "\r\n" is one end of a line.
        let endsLine = scalar == "\n" || (scalar == "\r" && following != "\n")
        index += 1
        place.column += 1
        if endsLine { place = TextPlace(line: place.line + 1) }
    }

    /// Goes past the scalar if it is next.
    mutating func take(_ scalar: Unicode.Scalar) -> Bool {
        guard current == scalar else { return false }
        advance()
        return true
    }

    // MARK: Blanks

    mutating func skipBlanks() throws(Mistake) {
        while let scalar = current {
            if scalar.isBlank {
                advance()
            } else if scalar == "/", following == "/" {
                while let next = current, !next.endsLine { advance() }
            } else if scalar == "/", following == "*" {
                try skipBlockComment()
            } else {
                return
            }
        }
    }

    private mutating func skipBlockComment() throws(Mistake) {
        let start = place
        advance()
        advance()
        while let scalar = current {
            advance()
            if scalar == "*", take("/") { return }
        }
        throw Mistake(place: start, problem: "this comment does not end", remedy: "end it by */")
    }

    // MARK: Words

    /// A word of letters, digits, `_` and `$`; empty where none is next.
    mutating func word() -> String {
        var word = String.UnicodeScalarView()
        while let scalar = current, scalar.isInWord {
            word.append(scalar)
            advance()
        }
        return String(word)
    }

    /// A number as it is written: everything that could belong to one.
    mutating func numberText() -> String {
        var text = String.UnicodeScalarView()
        while let scalar = current, scalar.isInWord || "+-.".unicodeScalars.contains(scalar) {
            text.append(scalar)
            advance()
        }
        return String(text)
    }

    // MARK: Texts

    /// A text in single or double quotes, of which the first is next.
    mutating func quoted() throws(Mistake) -> String {
        let start = place
        guard let quote = current else { return "" }
        advance()
        var text = String.UnicodeScalarView()
        while let scalar = current {
            if scalar == quote {
                advance()
                return String(text)
            }
            if scalar == "\n" || scalar == "\r" { break }
            if scalar == "\\" {
                if let escaped = try escape() { text.append(escaped) }
            } else {
                text.append(scalar)
                advance()
            }
        }
        throw Mistake(
            place: start, problem: "this text does not end on its line",
            remedy: "end it by \(quote)")
    }

    /// What an escape stands for; nil for a line that goes on.
    private mutating func escape() throws(Mistake) -> Unicode.Scalar? {
        let start = place
        advance()
        guard let scalar = current else { return nil }
        if scalar == "u" { return try unicodeEscape(from: start) }
        advance()
        switch scalar {
        case "b": return "\u{8}"
        case "f": return "\u{C}"
        case "n": return "\n"
        case "r": return "\r"
        case "t": return "\t"
        case "v": return "\u{B}"
        case "x": return Unicode.Scalar(UInt8(try hexadecimal(digits: 2, from: start)))
        case "\r":
            _ = take("\n")
            return nil
        case "\n", "\u{2028}", "\u{2029}": return nil
        case "0" where !(current?.isDigit ?? false): return "\0"
        case "0"..."9":
            throw Mistake(
                place: start, problem: "an escape cannot be a digit", remedy: "write \\x and two")
        default: return scalar
        }
    }

    /// One or, for a surrogate pair, two `\uXXXX`; `u` is next.
    private mutating func unicodeEscape(from start: TextPlace) throws(Mistake) -> Unicode.Scalar {
        advance()
        let first = try hexadecimal(digits: 4, from: start)
        if let scalar = Unicode.Scalar(first) { return scalar }
        if 0xD800...0xDBFF ~= first, take("\\"), take("u") {
            let second = try hexadecimal(digits: 4, from: start)
            if 0xDC00...0xDFFF ~= second,
                let scalar = Unicode.Scalar(0x10000 + (first - 0xD800) << 10 + (second - 0xDC00))
            {
                return scalar
            }
        }
        throw Mistake(place: start, problem: "this escape is half a character")
    }

    private mutating func hexadecimal(
        digits: Int, from start: TextPlace
    ) throws(Mistake) -> UInt32 {
        var value: UInt32 = 0
        for _ in 0..<digits {
            guard let digit = current.flatMap({ Character($0).hexDigitValue }),
                current?.isASCII == true
            else {
                throw Mistake(
                    place: start, problem: "this escape needs \(digits) hexadecimal digits")
            }
            value = value << 4 | UInt32(digit)
            advance()
        }
        return value
    }
}

extension Unicode.Scalar {
    var isDigit: Bool { ("0"..."9").contains(self) }

    fileprivate var endsLine: Bool {
        self == "\n" || self == "\r" || self == "\u{2028}" || self == "\u{2029}"
    }

    fileprivate var isBlank: Bool {
        switch self {
        case "\t", "\u{B}", "\u{C}", " ", "\u{A0}", "\u{FEFF}": true
        default: endsLine || properties.generalCategory == .spaceSeparator
        }
    }

    fileprivate var isInWord: Bool {
        self == "_" || self == "$" || properties.isIDContinue
    }
}
