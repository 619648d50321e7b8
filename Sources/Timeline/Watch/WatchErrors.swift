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
