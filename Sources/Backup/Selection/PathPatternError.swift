import Platform

/// Why a pattern is refused: a pattern that can match nothing would leave its author in the belief
/// that something is excluded.
package struct PathPatternError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What is wrong with a pattern.
    package enum Reason: String, Sendable {
        case empty = "it is empty"
        case unclosedClass = "a [ is not closed"
        case emptyRange = "a range in [ ] ends before it begins"
        case danglingEscape = "a backslash ends it"
        case dotComponent = "no path has a component . or .."
        case tooManyComponents = "it has more than 60 components"
        case tooLong = "it is longer than 8192 bytes"
        case notText = "it holds a zero byte"
    }

    package let pattern: [UInt8]
    package let reason: Reason
    /// The line of the file it stands in, from 1.
    package let line: Int?

    package var description: String {
        let place = line.map { " in line \($0)" } ?? ""
        return "invalid pattern '\(FilePath(bytes: pattern))'\(place): \(reason.rawValue)"
    }
}
