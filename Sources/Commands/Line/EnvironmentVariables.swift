@preconcurrency import Glibc

/// The environment of the process, as bytes.
package struct EnvironmentVariables: Sendable {
    private let values: [String: [UInt8]]

    /// Makes an environment of these variables.
    package init(_ values: [String: String]) {
        self.values = values.mapValues { Array($0.utf8) }
    }

    private init(bytes values: [String: [UInt8]]) {
        self.values = values
    }

    /// What this process was started with; environ(7). Where a name stands twice the first counts,
    /// as it does for getenv(3); a name that is not UTF-8 is nobody's here.
    package static func ofProcess() -> EnvironmentVariables {
        var values: [String: [UInt8]] = [:]
        var next: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>? = environ
        while let entry = next?.pointee {
            // The entry is a C string that lives as long as nobody calls setenv: copied at once.
            let bytes = UnsafeRawBufferPointer(start: entry, count: strlen(entry))
            let name = bytes.prefix { $0 != UInt8(ascii: "=") }
            if name.count < bytes.count, let key = String(validating: name, as: UTF8.self) {
                values[key] = values[key] ?? Array(bytes.dropFirst(name.count + 1))
            }
            next = next?.advanced(by: 1)
        }
        return EnvironmentVariables(bytes: values)
    }

    /// The variable's value; nil where it is not set.
    package subscript(name: String) -> [UInt8]? { values[name] }

    /// The variable's value where it is set and not empty.
    package func nonEmpty(_ name: String) -> [UInt8]? {
        values[name].flatMap { $0.isEmpty ? nil : $0 }
    }

    /// The names that begin so, in order.
    package func names(beginningWith prefix: String) -> [String] {
        values.keys.filter { $0.hasPrefix(prefix) }.sorted()
    }
}
