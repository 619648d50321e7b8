/// What a prune found, will do or did.
package struct PruneReport: Sendable {
    /// Bytes of a number of files.
    package struct Amount: Sendable, Equatable {
        package var files: UInt64 = 0
        package var bytes: UInt64 = 0

        package init() {}

        mutating func add(_ bytes: UInt64) {
            files += 1
            self.bytes += bytes
        }
    }

    /// Packs and segments when it began.
    package var stored = Amount()
    /// Packs and segments of which nothing is needed.
    package var dropped = Amount()
    /// Packs that are copied from and then dropped.
    package var emptied = Amount()
    /// Bytes that are needed of them.
    package var copied: UInt64 = 0
    /// Unneeded bytes that stay, in packs that are not worth being emptied.
    package var unusedKept: UInt64 = 0
    /// Packs that writers at work may be about to need.
    package var fresh = Amount()
    /// Those writers.
    package var writers: [String] = []
    /// Files that were marked by an earlier run.
    package var marked = Amount()
    /// Files that are gone.
    package var deleted = Amount()
    /// Files that are marked, and deleted by a later run.
    package var waiting = Amount()
    /// Whose leases they wait for.
    package var holders: [String] = []
    /// Needed blobs that no pack holds.
    package var missing: UInt64 = 0
    /// Packs that stay because what is needed of them could not be read.
    package var hurt: [(pack: String, reason: any Error)] = []

    package init() {}

    /// Bytes that will be free when all that is marked is deleted.
    package var frees: UInt64 {
        let gone = dropped.bytes + emptied.bytes + marked.bytes
        return gone - min(gone, copied)
    }
}
