package import Platform
package import SQLite

/// Where a database is opened, and what is known of the file there.
package struct DatabaseLocation: Sendable {
    /// For messages; where it is opened too, unless there is a place.
    let path: FilePath
    let place: DatabasePlace?
    private let expected: FileStatus?

    /// - Parameters:
    ///   - path: where people know it.
    ///   - place: the same by an open directory, which must stay open.
    ///   - expected: the file that it must be, as an earlier look found it.
    package init(
        _ path: FilePath, at place: DatabasePlace? = nil, expecting expected: FileStatus? = nil
    ) {
        self.path = path
        self.place = place
        self.expected = expected
    }

    /// Its path without symbolic links, and the file there.
    func look() throws(CaptureError) -> (resolved: FilePath, status: FileStatus) {
        do {
            let resolved = try (place?.name ?? path).resolved()
            return (resolved, try FileStatus.of(resolved, followingLinks: false))
        } catch {
            throw CaptureError(error, path)
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
