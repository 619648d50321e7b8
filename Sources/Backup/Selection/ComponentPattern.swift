/// The pattern of one component of a path, compiled: bytes, `*`, `?` and `[…]`.
///
/// Matching takes at most (length of the name) × (length of the pattern) steps: after a mismatch
/// only the last `*` takes one byte more, since whatever an earlier one could do, it can do too.
struct ComponentPattern: Hashable, Sendable {
    private enum Element: Hashable, Sendable {
        case byte(UInt8)
        case anyByte
        case anyBytes
        case oneOf(ByteClass)
    }

    private let elements: [Element]
    /// The pattern's bytes where it has no wildcard.
    private let literal: [UInt8]?

    /// Matches every name.
    static let any = ComponentPattern(elements: [.anyBytes])

    private init(elements: [Element]) {
        self.elements = elements
        var literal: [UInt8] = []
        for case .byte(let byte) in elements { literal.append(byte) }
        self.literal = literal.count == elements.count ? literal : nil
    }

    /// Compiles the text of a component; `\` takes the wildcard out of the byte after it.
    init(_ text: ArraySlice<UInt8>) throws(PathPatternError.Reason) {
        var elements: [Element] = []
        var rest = text
        while let byte = rest.popFirst() {
            switch byte {
            case UInt8(ascii: "*"):
                if elements.last != .anyBytes { elements.append(.anyBytes) }
            case UInt8(ascii: "?"):
                elements.append(.anyByte)
            case UInt8(ascii: "["):
                elements.append(.oneOf(try ByteClass(readingFrom: &rest)))
            case UInt8(ascii: "\\"):
                guard let escaped = rest.popFirst() else { throw .danglingEscape }
                elements.append(.byte(escaped))
            default:
                elements.append(.byte(byte))
            }
        }
        self.init(elements: elements)
    }

    /// Whether the whole name matches.
    func matches(_ name: UnsafeBufferPointer<UInt8>) -> Bool {
        if let literal { return literal.elementsEqual(name) }
        var position = 0
        var element = 0
        // Where to go on after a mismatch: behind the last `*`, which then takes one byte more.
        var retry: (element: Int, position: Int)?
        while position < name.count {
            if element < elements.count, elements[element] == .anyBytes {
                element += 1
                retry = (element, position)
            } else if element < elements.count, matches(elements[element], name[position]) {
                element += 1
                position += 1
            } else if let last = retry {
                retry = (last.element, last.position + 1)
                (element, position) = (last.element, last.position + 1)
            } else {
                return false
            }
        }
        return elements[element...].allSatisfy { $0 == .anyBytes }
    }

    private func matches(_ element: Element, _ byte: UInt8) -> Bool {
        switch element {
        case .byte(let expected): byte == expected
        case .anyByte: true
        case .oneOf(let bytes): bytes.contains(byte)
        case .anyBytes: false
        }
    }
}

extension PathPatternError.Reason: Error {}

/// A set of bytes: `[a-z_]`, or all but these: `[!a-z]`, `[^a-z]`.
struct ByteClass: Hashable, Sendable {
    private var words: [UInt64] = [0, 0, 0, 0]

    /// Reads what follows a `[`, and the `]` that ends it; a `]` that comes first is a member.
    init(readingFrom text: inout ArraySlice<UInt8>) throws(PathPatternError.Reason) {
        let isNegated = text.first == UInt8(ascii: "!") || text.first == UInt8(ascii: "^")
        if isNegated { text.removeFirst() }
        var isFirst = true
        while true {
            guard let next = text.first else { throw .unclosedClass }
            if next == UInt8(ascii: "]"), !isFirst { break }
            isFirst = false
            let low = try Self.member(&text)
            let isRange =
                text.first == UInt8(ascii: "-") && text.dropFirst().first != UInt8(ascii: "]")
            if isRange { text.removeFirst() }
            let high = isRange ? try Self.member(&text) : low
            guard low <= high else { throw .emptyRange }
            for byte in low...high { words[Int(byte >> 6)] |= 1 << (byte & 63) }
        }
        text.removeFirst()
        if isNegated { words = words.map { ~$0 } }
    }

    func contains(_ byte: UInt8) -> Bool {
        words[Int(byte >> 6)] >> (byte & 63) & 1 == 1
    }

    private static func member(
        _ text: inout ArraySlice<UInt8>
    ) throws(PathPatternError.Reason) -> UInt8 {
        guard let byte = text.popFirst() else { throw .unclosedClass }
        guard byte == UInt8(ascii: "\\") else { return byte }
        guard let escaped = text.popFirst() else { throw .danglingEscape }
        return escaped
    }
}
