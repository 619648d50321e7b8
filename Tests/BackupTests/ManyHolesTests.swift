import Backup
import Glibc
import Platform
import Repository
import Simulation
import Synchronization
import Testing

/// Files with more holes than a node can hold.
@Suite struct ManyHolesTests {
    private static let block = UInt64(4096)

    /// Writes blocks at places, counted in blocks; the file ends with a hole.
    private static func write(_ places: [UInt64], to path: FilePath) throws {
        let file = try Descriptor.open(path, flags: O_WRONLY | O_CREAT, mode: 0o644)
        for (number, place) in places.enumerated() {
            let bytes = [UInt8](repeating: UInt8(truncatingIfNeeded: number + 1), count: Int(block))
            try bytes.withUnsafeBytes { try file.write($0, at: place * block) }
        }
        try file.truncate(to: ((places.last ?? 0) + 9) * block)
    }

    private static func extents(
        _ snapshot: StoredSnapshot, _ scene: SmallScene
    ) throws -> [Extent]? {
        let browser = SnapshotBrowser(try scene.open(fresh: false))
        let node = try browser.node(at: scene.source.appending("holes"), in: snapshot)
        guard case .file(_, let extents) = node?.content else { return nil }
        return extents
    }

    /// Backs a file up and restores it; answers what was remarked, and its extents.
    private func roundTrip(
        _ places: [UInt64], most: Int, sourceLocation: SourceLocation = #_sourceLocation
    ) throws -> (remarks: [String], extents: [Extent]?) {
        let scene = try SmallScene(seed: 1)
        scene.mostExtents = most
        let path = scene.source.appending("holes")
        try ManyHolesTests.write(places, to: path)
        let remarks = Mutex<[String]>([])
        let snapshot = try scene.backUp { notice in
            if case .remark(_, let text) = notice { remarks.withLock { $0.append(text) } }
        }
        let (counts, target) = try scene.restore(snapshot)
        #expect(counts.problems == 0, sourceLocation: sourceLocation)
        let there = try Descriptor.contents(of: path, limit: 1 << 24)
        let restored = try Descriptor.contents(of: target.appending("holes"), limit: 1 << 24)
        #expect(restored == there, sourceLocation: sourceLocation)
        return (remarks.withLock { $0 }, try ManyHolesTests.extents(snapshot, scene))
    }

    private func spans(_ extents: [Extent]?) -> [[UInt64]]? {
        extents?.map { [$0.offset / ManyHolesTests.block, $0.length / ManyHolesTests.block] }
    }

    @Test func asManyAsANodeHoldsAreKept() throws {
        let (remarks, extents) = try roundTrip([1, 3, 6, 100], most: 4)
        #expect(spans(extents) == [[1, 1], [3, 1], [6, 1], [100, 1]])
        #expect(remarks.isEmpty)
    }

    @Test func ofMoreTheSmallestHolesAreStoredAsZeros() throws {
        let (remarks, extents) = try roundTrip([1, 3, 6, 100, 200], most: 3)
        #expect(spans(extents) == [[1, 6], [100, 1], [200, 1]])
        #expect(remarks.count == 1 && remarks.allSatisfy { $0.contains("zeros") }, "\(remarks)")
    }

    @Test func aFileFullOfHolesComesBackWhatever() throws {
        for most in [1, 2, 3, 7] {
            let places = (0..<UInt64(300)).map { (number: UInt64) -> UInt64 in
                2 * number + 3 * (number / 10)
            }
            let (_, extents) = try roundTrip(places, most: most)
            #expect((extents?.count ?? 0) <= most)
        }
    }
}
