import Codec
import Platform
package import Repository

extension DatabaseRecovery {
    /// Runs `body`, which writes over a database that is there, with the rights of its owner where
    /// ours could be abused.
    package static func writing<R>(
        over location: DatabaseLocation, _ body: () throws -> R
    ) throws -> R {
        try OpenedDatabase.writing(over: location, body)
    }

    /// Reads a database as it is now and proves that it is a recorded state, by its state root.
    ///
    /// - Returns: the bytes that were read.
    /// - Throws: `damaged` where it is another state; `CaptureError` where it cannot be read.
    package func root(
        ofDatabaseAt location: DatabaseLocation, expecting reference: DatabaseReference
    ) throws -> UInt64 {
        guard let expected = try self.path(to: reference).last?.record else { return 0 }
        let reader = try DatabaseReader(location)
        defer { reader.close() }
        let hasher = Hasher256()
        return try reader.withSnapshot { view in
            let geometry = PageGeometry(pageSize: view.pageSize)
            guard view.pageSize == expected.pageSize, view.pageCount == expected.pageCount else {
                throw RepositoryError(.damaged, "it has another size than the recorded state")
            }
            var root = StateRoot()
            var first: [UInt8] = []
            for group in 0..<geometry.groupCount(pages: view.pageCount) {
                let reading = try GroupReading(group, of: view)
                if group == 0 { first = Array(reading.bytes.prefix(geometry.pageSize)) }
                root.add(reading.hashes(with: hasher).sum)
            }
            let isSame =
                try root.digest == expected.stateRoot
                || self.root(root, of: first, withCookieOf: reference).digest == expected.stateRoot
            guard isSame else {
                throw RepositoryError(.damaged, "its state root is not the recorded one")
            }
            return UInt64(view.pageCount) * UInt64(view.pageSize)
        }
    }
}
