import Codec
import Repository

extension Stream {
    /// The records that make up a state, base first, where the segments and the base's page groups
    /// are all there; empty where something is lost, so that a writer begins with a base anew.
    func storedPath(to target: RecordHandle, in repository: Repository) throws -> RecordPath {
        do {
            let path = try path(to: target)
            guard let base = path.first else { return .empty(in: store) }
            return try Stream.holdsGroups(of: base, in: repository) ? path : .empty(in: store)
        } catch let error as RepositoryError where [.damaged, .absent].contains(error.code) {
            return .empty(in: store)
        } catch is FormatError {
            return .empty(in: store)
        }
    }

    /// Whether a writer may build on each page group of a base; none of them is read.
    private static func holdsGroups(
        of base: RecordHandle, in repository: Repository
    ) throws -> Bool {
        let segment = try SegmentReader(
            base.segment, in: repository, with: BlobOpener(repository))
        for index in segment.blobs(of: base, kind: .pageMap) {
            var ids = ByteReader(try segment.read(index))
            while ids.remaining > 0 {
                guard try repository.holds(BlobID(try ids.digest())) else { return false }
            }
        }
        return true
    }
}
