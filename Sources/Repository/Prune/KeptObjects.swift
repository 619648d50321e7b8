/// What everything kept needs, and from which listing that is known.
package struct KeptObjects {
    /// Names of the snapshots and segments it was found from.
    package let listing: Set<ObjectName>
    package let blobs: NeededBlobs
    package let segments: Set<ObjectName>
    /// Segments that nothing needs.
    package let unneededSegments: Set<ObjectName>

    package init(
        listing: Set<ObjectName>, blobs: NeededBlobs, segments: Set<ObjectName>,
        unneededSegments: Set<ObjectName>
    ) {
        self.listing = listing
        self.blobs = blobs
        self.segments = segments
        self.unneededSegments = unneededSegments
    }

    /// The names that such a listing has.
    package static func list(in place: any Place) throws -> Set<ObjectName> {
        var names: Set<ObjectName> = []
        for folder in [Folder.snapshots, .segments] {
            names.formUnion(try place.list(folder).map(\.name).filter(\.isSealedName))
        }
        return names
    }
}
