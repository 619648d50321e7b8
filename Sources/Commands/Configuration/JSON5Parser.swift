/// Reads a JSON5 text (<https://spec.json5.org>), the place of each value with it.
///
/// Two members of one name are refused, since nobody can tell which was meant. The text may be
/// anybody's: its size and depth are bounded.
package struct JSON5Parser {
    /// Bytes of a text.
    package static let sizeLimit = 1 << 20
    /// Objects and lists inside each other.
    package static let depthLimit = 32

    private var scanner: JSON5Scanner
    /// The names and positions that lead to what is read now.
    private var path: [String] = []

    /// The value of a text; throws at the first place that is no JSON5.
    package static func parse(_ bytes: [UInt8]) throws(JSON5Error) -> JSON5Value {
        guard bytes.count <= sizeLimit else {
            throw JSON5Error(
                place: TextPlace(), key: "", problem: "it has more than \(sizeLimit) bytes",
                remedy: nil)
        }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            let place = JSON5Parser.placeOfFirstError(in: bytes)
            throw JSON5Error(place: place, key: "", problem: "this is not UTF-8", remedy: nil)
        }
        var parser = JSON5Parser(scanner: JSON5Scanner(text))
        do {
            return try parser.document()
        } catch {
            throw JSON5Error(
                place: error.place, key: JSON5Parser.key(parser.path), problem: error.problem,
                remedy: error.remedy)
        }
    }

    private init(scanner: JSON5Scanner) {
        self.scanner = scanner
    }

    /// The names and positions as one key: `services.accounts.trees[1]`.
    package static func key(_ path: [String]) -> String {
        path.reduce(into: "") { key, part in
            key += (key.isEmpty || part.hasPrefix("[") ? "" : ".") + part
        }
    }

    private static func placeOfFirstError(in bytes: [UInt8]) -> TextPlace {
        var place = TextPlace()
        var decoder = Unicode.UTF8.ForwardParser()
        var rest = bytes.makeIterator()
        while case .valid(let encoded) = decoder.parseScalar(from: &rest) {
            place.column += 1
            if encoded.first == 0x0A { place = TextPlace(line: place.line + 1) }
        }
        return place
    }

    // MARK: Values

    private mutating func document() throws(JSON5Scanner.Mistake) -> JSON5Value {
        try scanner.skipBlanks()
        let value = try value(depth: 0)
        try scanner.skipBlanks()
        guard scanner.current == nil else {
            throw JSON5Scanner.Mistake(
                place: scanner.place, problem: "something follows the end",
                remedy: "one value makes a file: take out what follows, or a bracket too many")
        }
        return value
    }

    private mutating func value(depth: Int) throws(JSON5Scanner.Mistake) -> JSON5Value {
        let place = scanner.place
        guard let first = scanner.current else {
            throw JSON5Scanner.Mistake(
                place: place, problem: "the text ends where a value should stand")
        }
        switch first {
        case "{": return JSON5Value(content: try object(depth + 1), place: place)
        case "[": return JSON5Value(content: try array(depth + 1), place: place)
        case "\"", "'": return JSON5Value(content: .string(try scanner.quoted()), place: place)
        case "+", "-", ".", "0"..."9":
            return JSON5Value(content: try number(at: place), place: place)
        default: return JSON5Value(content: try word(at: place), place: place)
        }
    }

    private mutating func word(
        at place: TextPlace
    ) throws(JSON5Scanner.Mistake) -> JSON5Value.Content {
        let word = scanner.word()
        switch word {
        case "null": return .null
        case "true": return .bool(true)
        case "false": return .bool(false)
        case "Infinity": return .number(.infinity)
        case "NaN": return .number(.nan)
        case "":
            throw JSON5Scanner.Mistake(
                place: place, problem: "here should stand a value",
                remedy: "a text stands in quotes")
        default:
            throw JSON5Scanner.Mistake(
                place: place, problem: "\(word.prefix(64)) is no value",
                remedy: "write it in quotes, if it is a text")
        }
    }

    private mutating func number(
        at place: TextPlace
    ) throws(JSON5Scanner.Mistake) -> JSON5Value.Content {
        let text = scanner.numberText()
        guard let number = JSON5Number.read(text) else {
            throw JSON5Scanner.Mistake(
                place: place, problem: "\(text.prefix(64)) is no number",
                remedy: "a value with a unit is a text: write it in quotes")
        }
        return .number(number)
    }

    // MARK: Containers

    private mutating func enter(_ depth: Int) throws(JSON5Scanner.Mistake) {
        guard depth <= JSON5Parser.depthLimit else {
            throw JSON5Scanner.Mistake(
                place: scanner.place,
                problem: "more than \(JSON5Parser.depthLimit) brackets lie inside each other")
        }
        scanner.advance()
        try scanner.skipBlanks()
    }

    private mutating func array(
        _ depth: Int
    ) throws(JSON5Scanner.Mistake) -> JSON5Value.Content {
        try enter(depth)
        var values: [JSON5Value] = []
        while !scanner.take("]") {
            path.append("[\(values.count)]")
            values.append(try value(depth: depth))
            path.removeLast()
            try separator(before: "]")
        }
        return .array(values)
    }

    private mutating func object(
        _ depth: Int
    ) throws(JSON5Scanner.Mistake) -> JSON5Value.Content {
        try enter(depth)
        var members: [JSON5Member] = []
        var places: [String: TextPlace] = [:]
        while !scanner.take("}") {
            let place = scanner.place
            let name = try name(at: place)
            path.append(name)
            if let first = places.updateValue(place, forKey: name) {
                throw JSON5Scanner.Mistake(
                    place: place, problem: "this key stands in line \(first.line) already",
                    remedy: "take one of them out")
            }
            try scanner.skipBlanks()
            guard scanner.take(":") else {
                throw JSON5Scanner.Mistake(
                    place: scanner.place, problem: "a ':' should follow the key \(name.prefix(64))")
            }
            try scanner.skipBlanks()
            members.append(JSON5Member(name: name, place: place, value: try value(depth: depth)))
            path.removeLast()
            try separator(before: "}")
        }
        return .object(members)
    }

    private mutating func name(at place: TextPlace) throws(JSON5Scanner.Mistake) -> String {
        if scanner.current == "\"" || scanner.current == "'" { return try scanner.quoted() }
        guard let first = scanner.current, !first.isDigit else {
            throw JSON5Scanner.Mistake(
                place: place,
                problem: scanner.current == nil
                    ? "the text ends inside an object" : "a key cannot begin with a digit",
                remedy: scanner.current == nil ? "close it by }" : "write it in quotes")
        }
        let name = scanner.word()
        guard !name.isEmpty else {
            throw JSON5Scanner.Mistake(
                place: place, problem: "here should stand a key, or the end of the object",
                remedy: "write a key of other letters in quotes")
        }
        return name
    }

    private mutating func separator(
        before end: Unicode.Scalar
    ) throws(JSON5Scanner.Mistake) {
        let place = scanner.place
        try scanner.skipBlanks()
        if scanner.take(",") {
            try scanner.skipBlanks()
        } else if scanner.current != end {
            throw JSON5Scanner.Mistake(
                place: place, problem: "a ',' or '\(end)' should follow this value")
        }
    }
}

/// The numbers of JSON5.
private enum JSON5Number {
    static func read(_ text: String) -> Double? {
        var rest = Substring(text)
        let sign = rest.first == "-" ? -1.0 : 1.0
        if rest.first == "-" || rest.first == "+" { rest = rest.dropFirst() }
        if rest == "Infinity" { return sign * .infinity }
        if rest == "NaN" { return .nan }
        if rest.hasPrefix("0x") || rest.hasPrefix("0X") {
            let digits = rest.dropFirst(2)
            guard digits.allSatisfy({ $0.isASCII && $0.isHexDigit }),
                let number = UInt64(digits, radix: 16)
            else { return nil }
            return sign * Double(number)
        }
        return isDecimal(rest) ? Double(padded(rest)).map { sign * $0 } : nil
    }

    /// `12`, `1.5`, `.5`, `5.`, each with an exponent or without; no zero before other digits.
    private static func isDecimal(_ text: Substring) -> Bool {
        let parts = text.split(
            maxSplits: 1, omittingEmptySubsequences: false, whereSeparator: { "eE".contains($0) })
        let digits = parts[0].split(separator: ".", omittingEmptySubsequences: false)
        guard (1...2).contains(digits.count), digits.contains(where: { !$0.isEmpty }),
            digits.allSatisfy(isDigits), digits[0].count < 2 || digits[0].first != "0"
        else { return false }
        guard parts.count == 2 else { return true }
        let exponent = "+-".contains(parts[1].first ?? "0") ? parts[1].dropFirst() : parts[1]
        return !exponent.isEmpty && isDigits(exponent)
    }

    private static func isDigits(_ text: Substring) -> Bool {
        text.unicodeScalars.allSatisfy(\.isDigit)
    }

    /// The same number as Swift reads it: with digits on both sides of the point.
    private static func padded(_ text: Substring) -> String {
        var text = (text.first == "." ? "0" : "") + text
        if let point = text.firstIndex(of: ".") {
            let next = text.index(after: point)
            if next == text.endIndex || "eE".contains(text[next]) { text.insert("0", at: next) }
        }
        return text
    }
}
