import Codec
import Platform
import Simulation
import Testing

@testable import Repository

/// Lists of pieces: whatever goes in comes out in order, and no list claims more than it holds.
@Suite struct PieceListTests {
    private static let tiny = PieceListShape(inline: 4, smallest: 2, largest: 5, mask: 3)

    /// Lists as a writer stored them, by id.
    private final class Shelf {
        private let hasher: KeyedHasher
        private(set) var lists: [BlobID: [UInt8]] = [:]

        init(_ repository: Repository) {
            hasher = repository.keys.blobHasher()
        }

        func put(_ list: [UInt8]) -> BlobID {
            let id = BlobID(list.withUnsafeBytes { hasher.digest($0) })
            lists[id] = list
            return id
        }

        func write(_ pieces: [BlobReference], _ shape: PieceListShape) throws -> PieceList {
            var writer = PieceListWriter(shape)
            for piece in pieces { try writer.append(piece, put) }
            return try writer.finish(put)
        }

        func store(in repository: Repository) throws {
            _ = try TestRepository.store(Array(lists.values), kind: .pieceList, in: repository)
        }
    }

    /// References to blobs that need not exist.
    private static func pieces(_ count: Int, seed: UInt64) -> [BlobReference] {
        let random = SeededRandomness(seed: seed)
        return (0..<count).map { _ in
            let id = random.bytes(32).withUnsafeBytes { BlobID(Digest(bytes: $0)) }
            return BlobReference(id: id, size: 1 + Int(random.below(8 << 20)))
        }
    }

    private static func all(_ list: PieceList, in repository: Repository) throws -> [BlobReference]
    {
        var sequence = PieceSequence(list, from: BlobOpener(repository))
        var pieces: [BlobReference] = []
        while let piece = try sequence.next() { pieces.append(piece) }
        return pieces
    }

    @Test func whateverWasListedIsReadInOrder() throws {
        let repository = try RepositoryScene().open()
        let shelf = Shelf(repository)
        var written: [(PieceList, [BlobReference])] = []
        for count in Array(0..<40) + [100, 150] {
            let pieces = Self.pieces(count, seed: UInt64(count))
            written.append((try shelf.write(pieces, Self.tiny), pieces))
        }
        try shelf.store(in: repository)
        for (list, pieces) in written {
            #expect(try Self.all(list, in: repository) == pieces)
            #expect(list.entries.count <= 4)
            #expect(list.bytes == pieces.reduce(0) { $0 + UInt64($1.size) })
            #expect((list.level == 0) == (pieces.count <= 4))
        }
        #expect(Set(written.map(\.0.level)) == [0, 1, 2, 3])
    }

    @Test func equalPiecesMakeListsThatShrinkAllTheSame() throws {
        let repository = try RepositoryScene().open()
        for seed in UInt64(1)...20 {
            let shelf = Shelf(repository)
            let pieces = Array(repeating: Self.pieces(1, seed: seed)[0], count: 60)
            let list = try shelf.write(pieces, Self.tiny)
            try shelf.store(in: repository)
            #expect(try Self.all(list, in: repository) == pieces)
        }
    }

    @Test func moreThanListsCanHoldIsRefused() throws {
        let shelf = Shelf(try RepositoryScene().open())
        let pieces = Self.pieces(4000, seed: 1)
        #expect(throws: FormatError.self) { try shelf.write(pieces, Self.tiny) }
    }

    @Test func aPieceMoreChangesFewLists() throws {
        let shelf = Shelf(try RepositoryScene().open())
        let pieces = Self.pieces(40_000, seed: 3)
        let list = try shelf.write(pieces, .standard)
        #expect(list.level == 1)
        let before = shelf.lists.count
        #expect(before > 10)
        _ = try shelf.write(Self.pieces(1, seed: 4) + pieces, .standard)
        #expect(shelf.lists.count - before <= 3)
    }

    @Test func aListThatIsNotWhatTheOneAboveSaysIsDamage() throws {
        let repository = try RepositoryScene().open()
        let shelf = Shelf(repository)
        let list = try shelf.write(Self.pieces(30, seed: 5), Self.tiny)
        try #require(list.level == 2)
        try shelf.store(in: repository)
        let entry = list.entries[0]
        let larger = PieceList.Entry(entry.blob, bytes: entry.bytes + 1)
        let longer = PieceList.Entry(
            BlobReference(id: entry.blob.id, size: entry.blob.size + 1), bytes: entry.bytes)
        for wrong in [
            PieceList(level: 2, [larger]), PieceList(level: 2, [longer]),
            PieceList(level: 1, [entry]), PieceList(level: 3, [entry]),
        ] {
            #expect(try code { _ = try Self.all(wrong, in: repository) } == .damaged)
        }
    }

    @Test func directoriesWithoutListsAreWrittenAsBefore() throws {
        #expect(try SampleValues.run()[0] == 1)
        var run = try SampleValues.run(hasLists: true)
        #expect(run[0] == 2)
        #expect(
            try TreeRun.decode(run).last?.content
                == .file(
                    pieces: SampleValues.list, extents: [Extent(offset: 0, length: 700)]))
        run[0] = 1
        #expect(throws: FormatError.self) { try TreeRun.decode(run) }
        var plain = try SampleValues.run()
        plain[0] = 2
        #expect(throws: FormatError.self) { try TreeRun.decode(plain) }
    }
}
