/// How much of each pack is needed, each needed blob counted in one pack.
package struct PackSurvey {
    /// All packs that are listed.
    package let packs: [PackUse]
    /// Needed blobs of which copies lie in marked packs only.
    let stranded: [BlobLocation]

    /// - Parameter fresh: names of packs whose writers may still be at work.
    init(_ repository: Repository, _ needed: NeededBlobs, fresh: Set<String>) throws {
        let marks = repository.marks
        var uses: [Int64: PackUse] = [:]
        for pack in repository.listedPacks {
            uses[pack.number] = PackUse(
                pack: pack.number, name: pack.name, size: pack.size, needed: 0,
                isMarked: marks.contains(pack.name), isFresh: fresh.contains(pack.name))
        }
        let shares = try PackSurvey.shares(needed, uses)
        var stranded: [BlobLocation] = []
        try needed.forEach { places in
            let listed = places.filter { uses[$0.pack] != nil }
            let kept = listed.filter { uses[$0.pack]?.isMarked == false }
            // Where it lies twice, the pack that is fuller for itself keeps it.
            let home = kept.max { left, right in
                (shares[left.pack] ?? 0, left.pack) < (shares[right.pack] ?? 0, right.pack)
            }
            if let home {
                uses[home.pack]?.needed += home.bytes
            } else if let marked = listed.first {
                stranded.append(marked)
            }
        }
        packs = Array(uses.values)
        self.stranded = stranded
    }

    /// The needed share of each pack, all copies counted.
    private static func shares(
        _ needed: NeededBlobs, _ uses: [Int64: PackUse]
    ) throws -> [Int64: Double] {
        var uses = uses
        try needed.forEach { places in
            for place in places { uses[place.pack]?.needed += place.bytes }
        }
        return uses.mapValues(\.share)
    }

    /// Needed blobs of which every copy lies in a pack that is marked or about to go.
    static func onlyIn(
        _ going: Set<Int64>, _ repository: Repository, _ needed: NeededBlobs
    ) throws -> [BlobLocation] {
        let marks = repository.marks
        let staying = Set(
            repository.listedPacks.filter {
                !going.contains($0.number) && !marks.contains($0.name)
            }.map(\.number))
        var found: [BlobLocation] = []
        try needed.forEach { places in
            guard !places.contains(where: { staying.contains($0.pack) }) else { return }
            if let place = places.first(where: { going.contains($0.pack) }) { found.append(place) }
        }
        return found
    }
}

extension BlobLocation {
    /// Bytes that the blob takes of its pack.
    fileprivate var bytes: UInt64 { UInt64(entry.header.span + PackFormat.entrySize) }
}
