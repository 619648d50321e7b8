import Codec
import Platform
import Repository
import SQLite
import Timeline

/// The epoch that begins where a database is restored in its place, what is recorded of the state
/// that is replaced, and what is said of both.
final class RestoredEpoch {
    /// How often a database in a rollback-journal mode is recorded that others commit to meanwhile.
    private static let attempts = 4

    private let path: FilePath
    private let request: RestoreRequest
    private let report: RestoreReport
    private let epoch: EpochOfRestore?
    private var attempt = 0
    /// Why what is replaced is not recorded, or not all of it; of what is no database any more
    /// nobody could have read anything.
    private var unrecorded: (reason: String, isDamage: Bool)?

    /// - Parameter firstPage: the first page of the state, at least.
    /// - Throws: `locked` where somebody writes the database's history who cannot be asked.
    init(
        of state: DatabaseReference, at path: FilePath, firstPage: [UInt8],
        _ request: RestoreRequest, _ report: RestoreReport, _ recovery: DatabaseRecovery
    ) throws {
        self.path = path
        self.request = request
        self.report = report
        do {
            epoch = try recovery.epoch(
                of: state, at: path, firstPage: firstPage, host: request.host,
                patience: request.patience)
        } catch {
            // On a full disk, or from a copy, a restore must still be possible.
            guard error.isLackOfWriting else { throw error }
            epoch = nil
            report.say(
                .remark(
                    path: path,
                    "its history tells neither of this restore nor of what was there before, since "
                        + "nothing can be recorded: \(error)"))
        }
    }

    func cancel() throws {
        try epoch?.cancel()
    }

    /// The database is restored, whether or not that can be recorded now.
    func begin() {
        guard let epoch else { return }
        do {
            let number = try epoch.begin()
            report.say(.epoch(number, former: epoch.former, path: path))
        } catch {
            report.say(
                .problem(
                    path: path, during: "recording that it was restored",
                    reason: error.reason(at: path)))
        }
        guard epoch.followsDeadWatch else { return }
        report.say(
            .remark(
                path: path,
                "the watch that recorded it died: what its journal still has becomes a branch of "
                    + "the history once 'holdfast watch' runs again"))
    }
}

// What is replaced.
extension RestoredEpoch {
    /// Records what is in the database; where that cannot be done for damage, or for want of a
    /// place to write to, the restore is done all the same, and says so.
    func keepPresent(at location: DatabaseLocation) throws {
        attempt += 1
        try tolerating { try epoch?.keepPresent(at: location, scratch: request.scratch) }
    }

    /// Whether the restore may write now; asked while nobody can commit.
    func isPresentKept() throws -> Bool {
        var isKept = true
        try tolerating { isKept = try epoch?.isPresentKept() ?? true }
        guard !isKept, attempt == RestoredEpoch.attempts else { return isKept }
        let former = epoch?.former.map { " after \($0)" } ?? ""
        unrecorded = (
            "others commit to it all the time; what they did\(former) may be lost", isDamage: false
        )
        return true
    }

    func letPresentGo() {
        epoch?.letPresentGo()
    }

    /// The database was written over.
    func tellReplaced() {
        guard let (reason, isDamage) = unrecorded else { return }
        let during = "recording what was there before"
        report.say(
            isDamage
                ? .remark(path: path, "\(during): \(reason)")
                : .problem(path: path, during: during, reason: reason))
    }

    private func tolerating(_ body: () throws -> Void) throws {
        do {
            try body()
        } catch {
            guard error.isTolerable else { throw error }
            letPresentGo()
            let isDamage = (error as? CaptureError)?.code == .notADatabase
            unrecorded = (error.reason(at: path), isDamage)
        }
    }
}

extension Error {
    /// Whether the repository, or this host's disk, takes no writes.
    fileprivate var isLackOfWriting: Bool {
        switch self {
        case let error as RepositoryError: error.code == .readOnly
        case let error as SystemError: [.noSpace, .quotaExceeded].contains(error.errno)
        case let error as SQLiteError: error.isFull
        default: false
        }
    }

    /// Whether a restore goes on though for this reason it could not record what it replaces: what
    /// is damaged is what people restore for. Who is merely locked out tries again.
    fileprivate var isTolerable: Bool {
        switch self {
        case let error as CaptureError: ![.locked, .unreadable].contains(error.code)
        case let error as RepositoryError where error.code == .damaged: true
        default: isLackOfWriting
        }
    }
}
