import Codec
import Platform
import Repository
import Timeline

/// The epoch that begins where a database is restored in its place, and what is said of it.
struct RestoredEpoch {
    private let path: FilePath
    private let report: RestoreReport
    private let epoch: EpochOfRestore?

    /// - Parameter firstPage: the first page of the state, at least.
    /// - Throws: `locked` where somebody writes the database's history who cannot be asked.
    init(
        of state: DatabaseReference, at path: FilePath, firstPage: [UInt8],
        _ request: RestoreRequest, _ report: RestoreReport, _ recovery: DatabaseRecovery
    ) throws {
        self.path = path
        self.report = report
        do {
            epoch = try recovery.epoch(
                of: state, at: path, firstPage: firstPage, host: request.host,
                patience: request.patience)
        } catch let error as RepositoryError where error.code == .readOnly {
            epoch = nil
            RestoredEpoch.tellUnrecorded(path, error, report)
        } catch let error as SystemError where error.errno == .noSpace {
            // On a full disk a restore must still be possible.
            epoch = nil
            RestoredEpoch.tellUnrecorded(path, error, report)
        }
    }

    private static func tellUnrecorded(
        _ path: FilePath, _ error: any Error, _ report: RestoreReport
    ) {
        report.say(
            .remark(
                path: path,
                "its history does not tell of this restore, since nothing can be recorded: \(error)"
            ))
    }

    func cancel() throws {
        try epoch?.cancel()
    }

    /// The database is restored, whether or not that can be recorded now.
    func begin() {
        guard let epoch else { return }
        do {
            report.say(.epoch(try epoch.begin(), path: path))
        } catch {
            report.say(
                .problem(
                    path: path, during: "recording that it was restored",
                    reason: error.reason(at: path)))
        }
    }
}
