import Platform

/// The journal has reached its limit.
struct JournalFull: Error, CustomStringConvertible {
    let path: FilePath

    var description: String {
        "the journal of \(path) is full: commits are not recorded one by one until it is sealed"
    }
}

/// A barrier that could not be answered.
struct BarrierFailed: Error, CustomStringConvertible {
    let path: FilePath

    var description: String { "\(path) is not being captured" }
}

extension Error {
    /// The failure, with what mends it where somebody has to do that.
    var reasonAndRemedy: String {
        switch self {
        case let error as SystemError where error.errno == .noSpace:
            "\(error); make room there"
        case let error as JournalError:
            error.hint.map { "\(error). \($0)" } ?? "\(error)"
        default: "\(self)"
        }
    }
}
