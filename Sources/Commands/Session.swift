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
        let cache = context.settings.cacheDirectory
        let session = try commandErrors(damage: damage, cache: cache, makesCache: true) {
            try Session(context, purpose: purpose, writes: writes)
        }
        let result: R
        do {
            result = try commandErrors(damage: damage, cache: cache) { try body(session) }
        } catch {
            session.end(reporting: context.report)
            throw error
        }
        try commandErrors { try session.lease?.end() }
        return result
    }

    private init(_ context: CommandContext, purpose: String, writes: Bool) throws {
        let settings = context.settings
        let place = try Session.place(in: try settings.repository())
        // Before anybody is asked for a password.
        _ = try RepositoryConfig.read(from: place)
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

    /// The place at a path; throws `missing` where that can be no repository.
    static func place(in path: FilePath) throws -> any Place {
        do {
            let kind = try FileStatus.of(path, followingLinks: true).kind
            guard kind == .directory else {
                throw RepositoryError(
                    .missing, "there is no repository at \(path): it is a \(kind.noun)",
                    hint: "Name the directory of a repository by --repo or HOLDFAST_REPOSITORY.")
            }
        } catch let error as SystemError {
            // What is not there yet, `init` makes; what cannot be looked at, reading it will tell.
            guard error.errno == .notDirectory else { return place(path) }
            throw RepositoryError(
                .missing, "there is no repository at \(path): a part of that path is no directory",
                hint: "Name the directory of a repository by --repo or HOLDFAST_REPOSITORY.")
        }
        return place(path)
    }

    private static func place(_ path: FilePath) -> any Place {
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
