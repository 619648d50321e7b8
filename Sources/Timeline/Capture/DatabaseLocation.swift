package import Platform
package import SQLite

/// Where a database is opened, and what is known of the file there.
package struct DatabaseLocation: Sendable {
    /// For messages; where it is opened too, unless there is a place.
    let path: FilePath
    let place: DatabasePlace?
    /// Whether the path is good enough where nobody else can move anything on the way.
    let prefersPath: Bool
    private let expected: FileStatus?

    /// - Parameters:
    ///   - path: where people know it.
    ///   - place: the same by an open directory, which must stay open.
    ///   - expected: the file that it must be, as an earlier look found it.
    package init(
        _ path: FilePath, at place: DatabasePlace? = nil, expecting expected: FileStatus? = nil
    ) {
        self.init(path, place, expected, prefersPath: false)
    }

    /// A database that is to be backed up, as a walk met it.
    ///
    /// Where nobody but us can move anything on the way to it, it is opened by its path: an
    /// interrupted transaction over several databases is finished only where SQLite finds the
    /// others by the super-journal, which ``DatabasePlace`` rules out.
    package init(source path: FilePath, at place: DatabasePlace, expecting expected: FileStatus) {
        self.init(path, place, expected, prefersPath: true)
    }

    private init(
        _ path: FilePath, _ place: DatabasePlace?, _ expected: FileStatus?, prefersPath: Bool
    ) {
        self.path = path
        self.place = place
        self.prefersPath = prefersPath
        self.expected = expected
    }

    /// Its path without symbolic links, and the file there; where that path is longer than the
    /// system takes, its place.
    func look() throws(CaptureError) -> (resolved: FilePath, status: FileStatus) {
        do {
            let resolved = try resolved()
            return (resolved, try FileStatus.of(resolved, followingLinks: false))
        } catch {
            throw CaptureError(error, path)
        }
    }

    private func resolved() throws(SystemError) -> FilePath {
        do {
            return try (place?.name ?? path).resolved()
        } catch {
            guard error.errno == .nameTooLong, let place else { throw error }
            return place.name
        }
    }

    /// Refuses another file than the one that was expected.
    func require(_ connection: Connection) throws(CaptureError) {
        guard let expected else { return }
        let isRight = try capturing(path) { () throws(SQLiteError) in
            try connection.isOpen(on: expected)
        }
        guard isRight else {
            throw CaptureError(.changedWhileReading, path, "another file took its place")
        }
    }
}
