/// A file of patterns, one a line, as `--exclude-file` names it.
///
/// Blanks around a pattern do not count, unless a backslash stands before the last one. Empty lines
/// and lines that begin with `#` are skipped; `\#` begins a pattern with `#`, `\!` one with `!`.
package enum PatternFile {
    /// The patterns in order; throws with the line of the first one that is invalid.
    package static func patterns(in bytes: [UInt8]) throws(PathPatternError) -> [PathPattern] {
        var patterns: [PathPattern] = []
        let lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        for (index, line) in lines.enumerated() {
            let text = trimmed(line)
            guard let first = text.first, first != UInt8(ascii: "#") else { continue }
            do {
                patterns.append(try PathPattern(Array(text)))
            } catch {
                throw PathPatternError(
                    pattern: error.pattern, reason: error.reason, line: index + 1)
            }
        }
        return patterns
    }

    private static func trimmed(_ line: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        var text = line.drop(while: isBlank)
        while let last = text.last, isBlank(last) {
            let rest = text.dropLast()
            // An odd number of backslashes keeps the blank; an even one is backslashes only.
            let backslashes = rest.reversed().prefix { $0 == UInt8(ascii: "\\") }.count
            guard backslashes.isMultiple(of: 2) else { break }
            text = rest
        }
        return text
    }

    private static func isBlank(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") || byte == UInt8(ascii: "\r")
    }
}
