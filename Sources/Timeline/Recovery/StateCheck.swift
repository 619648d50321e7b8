import Codec
package import Repository

extension DatabaseRecovery {
    /// Proves the structure of a recorded state without reading its pages: every record back to
    /// the base is there, tables are what the chain covers, and the base's blobs are stored.
    ///
    /// - Parameter isHurt: whether a blob is known to be damaged or missing.
    package func check(
        _ reference: DatabaseReference, isHurt: (BlobID) throws -> Bool
    ) throws {
        do {
            var cursor = try cursor(over: reference)
            while let plan = try cursor.next() {
                guard let blob = plan.baseBlob, try isHurt(blob) else { continue }
                throw FormatError("page group \(plan.group) lies in blob \(blob), which is hurt")
            }
        } catch let error as FormatError {
            throw RepositoryError(.damaged, "\(error)")
        }
    }
}

extension GroupPlan {
    /// The base's blob, where the base has the group.
    var baseBlob: BlobID? { base?.blob }
}
