import Backup
import Codec
import Glibc
import Platform
import Repository

/// A command's work with an opened repository, from taking the lease to ending it.
struct Session {
    let repository: Repository
    /// Nil where the place takes no writes, or has no room for one more file.
    let lease: HeldLease?
    /// What refreshing the catalogue found hurt.
    let damagedPacks: [(pack: ObjectName, reason: any Error)]
    let cache: FilePath

    /// Runs `body` under a lease on the repository that the settings name.
    ///
    /// - Parameters:
    ///   - writes: whether a place without write permission is an error.
    ///   - damage: the exit code where damage keeps the command from going on.
    static func run<R>(
        _ context: CommandContext, purpose: String, writes: Bool, damage: ExitCode = .failed,
        _ body: (Session) throws -> R
    ) throws -> R {
        let session = try commandErrors(damage: damage) {
            try Session(context, purpose: purpose, writes: writes)
        }
        let result: R
        do {
            result = try commandErrors(damage: damage) { try body(session) }
        } catch {
            session.end(reporting: context.report)
            throw error
        }
        try commandErrors { try session.lease?.end() }
        return result
    }

    private init(_ context: CommandContext, purpose: String, writes: Bool) throws {
        let settings = context.settings
        let place = Session.place(try settings.repository())
        guard try place.readConfig() != nil else {
            _ = try RepositoryConfig.read(from: place)
            preconditionFailure("a repository without a config was read")
        }
        let password = try PasswordReader(context).read(settings.password)
        let world = try World.system()
        repository = try Repository(
            at: place, password: password, cacheDirectory: settings.cacheDirectory, world: world)
        cache = settings.cacheDirectory.appending(repository.identity)
        do {
            lease = try HeldLease(on: place, purpose: purpose, world: world)
        } catch let error as RepositoryError where error.code == .readOnly && !writes {
            context.report.detail("reading without a lease: \(error)")
            lease = nil
        } catch let error as SystemError where error.errno == .noSpace && !writes {
            // On a full disk a restore must still be possible.
            context.report.detail("reading without a lease: \(error)")
            lease = nil
        }
        do {
            damagedPacks = try repository.refresh()
            // A writer builds on nothing that is marked; a reader needs what it has found.
            if writes { try lease?.declare(honouring: repository.marks) }
        } catch {
            try lease?.end()
            throw error
        }
    }

    /// Ends the lease after a failure; a second failure is a warning beside the first.
    private func end(reporting report: Report) {
        do {
            try lease?.end()
        } catch let error as RepositoryError where error.code == .revoked {
            return  // the failure says so already
        } catch {
            report.warning("the lease could not be ended: \(error)", during: "cleanup")
        }
    }

    /// The lease; throws where there is none.
    func writingLease() throws -> HeldLease {
        guard let lease else { preconditionFailure("a writing session without a lease") }
        return lease
    }

    static func place(_ path: FilePath) -> any Place {
        DirectoryPlace(at: path, on: LinuxDisk(), randomness: SystemRandomness())
    }
}

extension World {
    /// The world as it is.
    static func system() throws -> World {
        World(
            clock: SystemClock(), randomness: SystemRandomness(),
            process: try ProcessIdentity.current(), host: ProcessIdentity.hostName(),
            namespace: try ProcessIdentity.namespace(), renewsLeases: true,
            workers: min(16, max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))))))
    }
}

/// Gives errors of the modules below the exit codes and words of the command line.
func commandErrors<R>(damage: ExitCode = .failed, _ body: () throws -> R) throws -> R {
    do {
        return try body()
    } catch let error as CommandError {
        throw error
    } catch is Interrupted {
        throw CommandError(
            .interrupted, "interrupted; the repository is as whole as before",
            hint: "run the command again")
    } catch let error as SystemError where [.noSpace, .quotaExceeded].contains(error.errno) {
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
