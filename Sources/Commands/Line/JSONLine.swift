package import Codec

/// One line of JSON: an object whose `message_type` says what it is; the shapes are restic's.
package struct JSONLine: Sendable {
    private var fields: [(String, JSONValue)] = []

    /// Begins an object of that type: `status`, `verbose_status`, `summary`, …
    package init(_ messageType: String) {
        add("message_type", messageType)
    }

    /// Begins an object that is not a message of its own, such as one of an array.
    package init() {}

    /// Adds a text.
    package mutating func add(_ name: String, _ text: String) {
        fields.append((name, .string(text)))
    }

    /// Adds a count.
    package mutating func add(_ name: String, _ count: UInt64) {
        fields.append((name, .integer(Int64(clamping: count))))
    }

    /// Adds a number.
    package mutating func add(_ name: String, _ number: Double) {
        fields.append((name, .number(number)))
    }

    /// Adds a truth.
    package mutating func add(_ name: String, _ truth: Bool) {
        fields.append((name, .bool(truth)))
    }

    /// Adds an array of texts.
    package mutating func add(_ name: String, texts: [String]) {
        fields.append((name, .array(texts.map { .string($0) })))
    }

    /// Adds an object.
    package mutating func add(_ name: String, object: JSONLine) {
        fields.append((name, object.value))
    }

    /// Adds an array of objects.
    package mutating func add(_ name: String, objects: [JSONLine]) {
        fields.append((name, .array(objects.map(\.value))))
    }

    /// Adds bytes that name something: the text with what is not UTF-8 replaced, and, only where
    /// that lost something, the bytes as `<name>_b64`.
    package mutating func add(_ name: String, path: [UInt8]) {
        add(name, String(decoding: path, as: UTF8.self))
        if !PathText.isUTF8(path) { add(name + "_b64", Base64.encode(path)) }
    }

    /// The object.
    package var value: JSONValue { .object(fields) }

    /// The object on one line, without a newline.
    package var text: String { value.line }
}

extension JSONLine {
    /// restic's `error` object: something failed while the command goes on.
    static func error(_ message: String, during: String, item: [UInt8]?) -> JSONLine {
        var error = JSONLine()
        error.add("message", message)
        var line = JSONLine("error")
        line.add("error", object: error)
        line.add("during", during)
        if let item { line.add("item", path: item) }
        return line
    }

    /// restic's `exit_error` object: why the command ends.
    static func exitError(_ error: CommandError) -> JSONLine {
        var line = JSONLine("exit_error")
        line.add("code", UInt64(error.code.rawValue))
        line.add("message", error.message)
        if let hint = error.hint { line.add("hint", hint) }
        return line
    }
}
