import Backup
import Platform
import Repository
import SQLite

/// Gives errors of the modules below the exit codes and words of the command line.
///
/// - Parameters:
///   - cache: the cache directory, whose failures are none of the repository's.
///   - makesCache: whether the directories above it may be what fails.
func commandErrors<R>(
    damage: ExitCode = .failed, cache: FilePath? = nil, makesCache: Bool = false,
    _ body: () throws -> R
) throws -> R {
    do {
        return try body()
    } catch let error as CommandError {
        throw error
    } catch let error as any FileError where error.concerns(cache, makesCache) {
        throw CommandError(
            .failed, "the cache directory cannot be used: \(error)",
            hint: "make it usable, or name another by --cache-dir DIR or HOLDFAST_CACHE_DIR; "
                + "what lies there can be deleted at any time")
    } catch is Interrupted {
        throw CommandError(
            .interrupted, "interrupted; the repository is as whole as before",
            hint: "run the command again")
    } catch let error as SystemError where error.isLackOfRoom {
        throw CommandError(
            .failed, "\(error)",
            hint: "make room there and run the command again; what was stored before is intact")
    } catch let error as RepositoryError {
        let code = error.code == .damaged ? damage : error.code.exitCode
        // Where verify itself cannot go on, it is no help to be sent to verify.
        let hint =
            code == .damageFound
            ? "put that file back from another copy of the repository" : error.hint?.asHint
        throw CommandError(code, "\(error)", hint: hint)
    }
}

extension RepositoryError.Code {
    fileprivate var exitCode: ExitCode {
        switch self {
        case .missing: .noRepository
        case .wrongPassword: .wrongPassword
        case .locked: .locked
        default: .failed
        }
    }
}

extension String {
    /// A sentence as a hint is written: lower case, without its full stop.
    fileprivate var asHint: String {
        let text = hasSuffix(".") ? String(dropLast()) : self
        return text.prefix(1).lowercased() + text.dropFirst()
    }
}

/// An error that may name the file it happened to.
private protocol FileError: Error {
    var path: FilePath? { get }
}

extension SystemError: FileError {}
extension SQLiteError: FileError {}

extension FileError {
    fileprivate func concerns(_ directory: FilePath?, _ makesIt: Bool) -> Bool {
        guard let directory, let path else { return false }
        return path.components.starts(with: directory.components)
            || makesIt && directory.components.starts(with: path.components)
    }
}

extension SystemError {
    /// Whether a disk, or somebody's share of it, is full.
    var isLackOfRoom: Bool { [.noSpace, .quotaExceeded].contains(errno) }
}
