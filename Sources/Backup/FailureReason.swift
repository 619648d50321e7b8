import Platform
import SQLite
import Timeline

extension Error {
    /// Why it failed, for a line that names `path` already.
    func reason(at path: FilePath) -> String {
        switch self {
        case let error as SystemError where error.errno == .staleHandle:
            "the directory was moved or replaced meanwhile"
        case let error as SystemError where error.path.map({ $0.isKnown(beside: path) }) != true:
            "\(error.operation): \(error.errno)"
        case let error as CaptureError where error.path == path:
            error.reason + (error.hint.map { "\nhint: \($0.lowercasedFirst)" } ?? "")
        case let error as SQLiteError where error.path == path:
            "\(error.message) (SQLite code \(error.code))"
        default: "\(self)"
        }
    }
}

extension FilePath {
    /// Whether a person who hears of `path` learns something from this one, too: it is another
    /// file, and not the name that a file has only while it is being restored.
    fileprivate func isKnown(beside path: FilePath) -> Bool {
        isAbsolute && self != path && !lastComponent.starts(with: TemporaryName.prefix)
    }
}

extension String {
    /// As a hint begins.
    fileprivate var lowercasedFirst: String { prefix(1).lowercased() + dropFirst() }
}

extension SystemError {
    /// The error of a write for which the target has no room; nil for any other error.
    init?(noRoomFor path: FilePath, _ error: any Error) {
        switch error {
        case let error as SystemError where [.noSpace, .quotaExceeded].contains(error.errno):
            self.init(error.operation, path, error.errno)
        case let error as SQLiteError where error.isFull:
            self.init("write", path, .noSpace)
        default: return nil
        }
    }
}

/// What a restored entry is called until it is whole.
enum TemporaryName {
    static let prefix = Array(".holdfast-".utf8)

    /// What no other restore's names have, from the dash on: for what a restore puts aside.
    static func tag(of name: [UInt8]) -> [UInt8] { Array(name.dropFirst(prefix.count - 1)) }
}
