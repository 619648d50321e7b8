// Control files (config, keys, leases) are short text, one `name value` a line, the first line
// `holdfast KIND VERSION`, the last `checksum` with the SHA-256 of all before it. The checksum
// tells damage from a wrong password; it protects against accidents only.

import Codec

/// The lines of a small file that is not sealed.
package struct ControlFile: Sendable {
    /// The most bytes a control file may have.
    package static let sizeLimit = 16 << 10

    package let kind: String
    package private(set) var fields: [(name: String, value: String)] = []

    package init(kind: String, fields: [(name: String, value: String)]) {
        self.kind = kind
        self.fields = fields
    }

    private var body: String {
        fields.reduce(into: "holdfast \(kind) 1\n") { $0 += "\($1.name) \($1.value)\n" }
    }

    /// The bytes as they are stored.
    package var encoded: [UInt8] {
        let body = Array(self.body.utf8)
        return body + Array("checksum \(Hasher256.digest(body).hex)\n".utf8)
    }

    /// Reads a control file; throws `damaged`, or `version` for one of a newer Holdfast.
    package init(
        _ bytes: [UInt8], kind: String, location: String, limit: Int = sizeLimit
    ) throws {
        guard bytes.count <= limit, bytes.last == UInt8(ascii: "\n") else {
            throw RepositoryError.damage("the file is cut short or no text", in: location)
        }
        // Before anything it says is believed: a flipped bit must not look like a newer version.
        guard ControlFile.hasRightChecksum(bytes) else {
            throw RepositoryError.damage("its checksum does not fit its content", in: location)
        }
        let lines = bytes.dropLast().split(
            separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false
        )
        .dropLast().map { String(decoding: $0, as: UTF8.self) }
        let first = lines.first ?? ""
        if let version = first.split(separator: " ").last.flatMap({ Int($0) }),
            first == "holdfast \(kind) \(version)", version > 1
        {
            throw RepositoryError(
                .version, "\(location): made by a newer Holdfast (\(kind) version \(version))",
                hint: "Use the Holdfast that made it, or a newer one.")
        }
        let fields = lines.dropFirst().map { line in
            let parts = line.split(separator: " ", maxSplits: 1, omittingEmptySubsequences: false)
            return (name: String(parts[0]), value: parts.count == 2 ? String(parts[1]) : "")
        }
        self.init(kind: kind, fields: Array(fields))
        // Rendering again and comparing leaves no byte of the file unchecked.
        guard encoded == bytes else {
            throw RepositoryError.damage("it is not in the form of a control file", in: location)
        }
    }

    private static func hasRightChecksum(_ bytes: [UInt8]) -> Bool {
        let length = "checksum ".utf8.count + 2 * Digest.size + 1
        guard bytes.count >= length else { return false }
        let body = Array(bytes.dropLast(length))
        let last = Array("checksum \(Hasher256.digest(body).hex)\n".utf8)
        return body.last == UInt8(ascii: "\n") && bytes.suffix(length).elementsEqual(last)
    }

    /// The value of a field; throws `damaged` where it is missing.
    package func value(_ name: String, in location: String) throws -> String {
        guard let field = fields.first(where: { $0.name == name }) else {
            throw RepositoryError.damage("'\(name)' is missing", in: location)
        }
        return field.value
    }

    /// The value of a field of hexadecimal digits.
    package func bytes(_ name: String, count: Int, in location: String) throws -> [UInt8] {
        guard let bytes = Hex.decode(try value(name, in: location)), bytes.count == count else {
            throw RepositoryError.damage("'\(name)' is not \(count) bytes", in: location)
        }
        return bytes
    }

    /// The value of a field that is a whole number.
    package func number(_ name: String, in location: String) throws -> UInt64 {
        guard let number = UInt64(try value(name, in: location)) else {
            throw RepositoryError.damage("'\(name)' is not a number", in: location)
        }
        return number
    }
}
