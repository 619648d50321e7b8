import Platform
package import Repository

/// Another watch of this machine that records a database already, and goes on with it.
package enum RivalWatch {
    /// Nanoseconds that a watch which is being stopped may need to let go: a service manager starts
    /// the next one as soon as that one's process is gone.
    package static let grace: UInt64 = 5_000_000_000
    /// Nanoseconds between two looks.
    private static let pause: UInt64 = 200_000_000

    /// Throws `locked`, naming its holder, where one of the databases stays another watch's.
    ///
    /// A holder of which it is not certain that it lives, and one that only passes by, such as a
    /// backup, is no rival: the watch begins and waits.
    ///
    /// - Parameters:
    ///   - patience: nanoseconds to wait for all of them.
    ///   - checkpoint: called while it waits; throws to end that.
    package static func refuse(
        _ sources: [WatchSource], in repository: Repository, patience: UInt64,
        checkpoint: () throws -> Void = {}
    ) throws {
        let clock = repository.world.clock
        let deadline = clock.bootTime() &+ patience
        for source in sources where !source.isDirectory {
            while let rival = try holder(of: source, in: repository) {
                guard clock.bootTime() < deadline else {
                    throw RepositoryError(
                        .locked, "\(source.path) is recorded by \(rival.holder) already",
                        hint: "One watch records a database: stop that one, leave this database "
                            + "out, or give --retry-lock 10m to wait for its end.")
                }
                try checkpoint()
                clock.sleep(nanoseconds: pause)
            }
        }
    }

    private static func holder(
        of source: WatchSource, in repository: Repository
    ) throws -> LeaseRecord? {
        let host = source.settings.host
        var subjects = [
            StreamClaim.subject(host: host, path: source.path.bytes, in: repository)
        ]
        // By another name of the file too.
        if let file = try FileStatus.ofExisting(source.path).map(FileIdentity.init) {
            subjects.append(StreamClaim.subject(host: host, file: file, in: repository))
        }
        for subject in subjects {
            guard let holder = try StreamClaim.holder(of: subject, in: repository),
                holder.record.purpose == "watch",
                try repository.observer.state(of: holder.lease, holder.record) == .alive
            else { continue }
            return holder.record
        }
        return nil
    }
}
