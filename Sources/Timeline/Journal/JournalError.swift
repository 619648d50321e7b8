package import Platform

/// Why a journal could not do what was asked.
package struct JournalError: Error, Sendable, CustomStringConvertible {
    package enum Code: Sendable, Hashable {
        /// Another process, or another part of this one, has the journal open.
        case locked
        /// What lies there is not what was written, and no torn append either.
        case damaged
        /// The directory holds the journal of another stream.
        case anotherStream
        /// A record does not continue the one before it, or a part is not the oldest.
        case outOfOrder
        /// A record continues one that the repository does not have.
        case detached
        /// One append has more bytes than a batch can.
        case tooLarge
    }

    package let code: Code
    /// The file or directory concerned.
    package let path: FilePath
    /// Why, in lower case.
    package let reason: String
    /// What to do about it, where there is something to do.
    package let hint: String?

    init(_ code: Code, _ path: FilePath, _ reason: String, hint: String? = nil) {
        self.code = code
        self.path = path
        self.reason = reason
        self.hint = hint
    }

    package var description: String { "journal \(path): \(reason)" }

    static func damage(_ path: FilePath, _ reason: String) -> JournalError {
        JournalError(
            .damaged, path, reason,
            hint: "The next 'holdfast watch' sets it aside, and goes on with a comparison.")
    }
}

/// Records of a journal that are in no repository, and will not be.
package struct JournalLoss: Sendable {
    package let reason: String
    /// Where they lie now.
    package let kept: [FilePath]
}
