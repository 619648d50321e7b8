import Codec

extension Stream {
    /// Records that are looked through; a database that went back further begins behind the end.
    private static let rootSearchLimit = 1 << 18
    /// What the reading of a segment counts at least: each is a file.
    private static let segmentEffort = 64

    /// The newest record after which the database had a state root, and that can be restored.
    func newestRecord(withRoot root: Digest) throws -> RecordHandle? {
        var looked = 0
        var newest: RecordHandle?
        for summary in try summaries().sorted(by: { $0.last > $1.last }) {
            guard looked < Stream.rootSearchLimit, newest == nil else { break }
            let records = try records(of: summary)
            looked += max(records.count, Stream.segmentEffort)
            newest = try records.filter { $0.record.stateRoot == root }
                .sorted { $0.record.position > $1.record.position }
                .first { try isRestorable($0) }
        }
        return newest
    }
}
