import Platform

/// Collects mistakes while a configuration is read to its end.
final class ConfigurationMistakes {
    private(set) var all: [ConfigurationMistake] = []

    func add(_ mistake: ConfigurationMistake) {
        all.append(mistake)
    }
}

/// One object of a configuration. Each verb answers what a key says, nil where it says nothing or
/// something wrong; what is wrong goes to the list of mistakes.
struct ConfigurationObject {
    /// A hundred years.
    static let anyDuration = Duration.zero...Duration.seconds(3_155_760_000)
    private static let nameLimit = 64

    let members: [JSON5Member]
    let place: TextPlace
    private let path: [String]
    private let mistakes: ConfigurationMistakes

    /// Nil, and a mistake, where the value is no object. With `known`, other keys are mistakes.
    init?(
        _ value: JSON5Value, at path: [String], knows known: [String]?,
        _ mistakes: ConfigurationMistakes
    ) {
        guard case .object(let members) = value.content else {
            mistakes.add(
                ConfigurationMistake(
                    at: value.place, key: JSON5Parser.key(path),
                    "this is \(value.noun), and should be an object",
                    remedy: "write { … }"))
            return nil
        }
        (self.members, place) = (members, value.place)
        (self.path, self.mistakes) = (path, mistakes)
        if let known { refuseUnknown(known) }
    }

    private func refuseUnknown(_ known: [String]) {
        for member in members where !known.contains(member.name) {
            let nearest = NearestName.of(member.name, among: known)
            add(
                at: member.place, member.name, "there is no such key",
                remedy: nearest.map { "did you mean \($0)?" }
                    ?? "here can stand \(known.joined(separator: ", "))")
        }
    }

    // MARK: Keys

    func key(_ name: String) -> String { JSON5Parser.key(path + [name]) }

    func add(
        at place: TextPlace? = nil, _ name: String?, _ problem: String, remedy: String? = nil
    ) {
        mistakes.add(
            ConfigurationMistake(
                at: place ?? self.place, key: name.map(key) ?? JSON5Parser.key(path), problem,
                remedy: remedy))
    }

    func value(_ name: String) -> JSON5Value? {
        members.first { $0.name == name }?.value
    }

    /// A key without which the object is of no use.
    func require(_ name: String, _ remedy: String) {
        if value(name) == nil { add(nil, "the key \(name) is missing", remedy: remedy) }
    }

    // MARK: Values

    func object(_ name: String, knows known: [String]?) -> ConfigurationObject? {
        value(name).flatMap { ConfigurationObject($0, at: path + [name], knows: known, mistakes) }
    }

    /// The objects under names that people choose.
    func objects(knows known: [String]) -> [(name: String, ConfigurationObject)] {
        members.compactMap { member in
            guard isName(member) else { return nil }
            return ConfigurationObject(
                member.value, at: path + [member.name], knows: known, mistakes
            ).map { (member.name, $0) }
        }
    }

    private func isName(_ member: JSON5Member) -> Bool {
        let isUsable = ConfigurationObject.isName(member.name)
        if !isUsable {
            add(
                at: member.place, member.name, "this is no name",
                remedy: "use up to 64 letters, digits, - and _")
        }
        return isUsable
    }

    private static func isName(_ text: String) -> Bool {
        (1...nameLimit).contains(text.utf8.count) && text.first != "-"
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
                    true
                default: false
                }
            }
    }

    func text(_ name: String) -> Located<String>? {
        value(name).flatMap { text($0, key(name)) }
    }

    private func text(_ value: JSON5Value, _ key: String) -> Located<String>? {
        guard case .string(let text) = value.content else {
            mistakes.add(
                ConfigurationMistake(
                    at: value.place, key: key, "this is \(value.noun), and should be a text",
                    remedy: "write it in quotes"))
            return nil
        }
        let located = Located(value: text, place: value.place, key: key)
        guard !text.isEmpty, !text.unicodeScalars.contains(where: { $0.value < 0x20 }) else {
            mistakes.add(located.mistake("this text is empty, or holds a control character"))
            return nil
        }
        return located
    }

    /// The name of a host: letters, digits, `-`, `_` and dots.
    func hostName(_ name: String) -> String? {
        guard let text = text(name) else { return nil }
        let parts = text.value.split(separator: ".", omittingEmptySubsequences: false)
        guard text.value.utf8.count <= 253, parts.allSatisfy({ Self.isName(String($0)) }) else {
            mistakes.add(text.mistake("this is no host name", remedy: "use letters, digits and -"))
            return nil
        }
        return text.value
    }

    func absolutePath(_ name: String) -> Located<FilePath>? {
        text(name).flatMap(absolutePath)
    }

    func absolutePaths(_ name: String) -> [Located<FilePath>] {
        guard let value = value(name) else { return [] }
        guard case .array(let elements) = value.content else {
            add(
                at: value.place, name, "this is \(value.noun), and should be a list of paths",
                remedy: "write [\"/path\", …]")
            return []
        }
        return elements.enumerated().compactMap { index, element in
            text(element, key(name) + "[\(index)]").flatMap(absolutePath)
        }
    }

    private func absolutePath(_ text: Located<String>) -> Located<FilePath>? {
        let path = FilePath(text.value)
        let isPlain = !path.components.contains { $0 == [0x2E] || $0 == [0x2E, 0x2E] }
        guard path.isAbsolute, isPlain, !path.components.isEmpty else {
            mistakes.add(
                text.mistake(
                    "\(text.value) is no whole path",
                    remedy: "begin with /, and use neither . nor .. in it"))
            return nil
        }
        // Without doubled slashes and one at the end: paths are compared by their letters.
        let plain = FilePath(bytes: path.components.flatMap { [0x2F] + $0 })
        return Located(value: plain, place: text.place, key: text.key)
    }

    func duration(_ name: String, in bounds: ClosedRange<Duration>) -> Duration? {
        guard let text = text(name) else { return nil }
        do {
            let duration = try DurationText.read(text.value, of: "the value")
            return bounded(duration, text, in: bounds, DurationText.short)
        } catch {
            mistakes.add(text.mistake(error.message, remedy: error.hint))
            return nil
        }
    }

    func size(_ name: String, in bounds: ClosedRange<UInt64>) -> UInt64? {
        guard let text = text(name) else { return nil }
        guard let size = ByteSizeText.read(text.value) else {
            mistakes.add(
                text.mistake(
                    "\(text.value) is no size", remedy: "write a number with KiB, MiB or GiB"))
            return nil
        }
        return bounded(size, text, in: bounds) { ByteCountText.shown($0) }
    }

    private func bounded<Value: Comparable>(
        _ value: Value, _ text: Located<String>, in bounds: ClosedRange<Value>,
        _ shown: (Value) -> String
    ) -> Value? {
        guard bounds.contains(value) else {
            let (lower, upper) = (shown(bounds.lowerBound), shown(bounds.upperBound))
            mistakes.add(
                text.mistake(
                    "\(text.value) is out of bounds",
                    remedy: "say something from \(lower) to \(upper)"))
            return nil
        }
        return value
    }

    func count(_ name: String, in bounds: ClosedRange<Int>) -> Int? {
        guard let value = value(name) else { return nil }
        guard case .number(let number) = value.content, let count = Int(exactly: number),
            bounds.contains(count)
        else {
            add(
                at: value.place, name,
                "this should be a whole number from \(bounds.lowerBound) to \(bounds.upperBound)")
            return nil
        }
        return count
    }

    func word<Word: RawRepresentable<String> & CaseIterable>(
        _ name: String, as type: Word.Type
    ) -> Word? {
        guard let text = text(name) else { return nil }
        guard let word = Word(rawValue: text.value) else {
            let words = Word.allCases.map(\.rawValue)
            let nearest = NearestName.of(text.value, among: words)
            mistakes.add(
                text.mistake(
                    "this cannot be \(text.value)",
                    remedy: nearest.map { "did you mean \($0)?" }
                        ?? "say \(words.joined(separator: " or "))"))
            return nil
        }
        return word
    }
}
