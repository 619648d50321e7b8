/// Bytes that are not what they should be: cut short, out of range, changed.
package struct FormatError: Error, Sendable, CustomStringConvertible {
    /// What is wrong, in lower case, without a full stop.
    package let message: String

    package init(_ message: String) {
        self.message = message
    }

    package var description: String { message }
}
