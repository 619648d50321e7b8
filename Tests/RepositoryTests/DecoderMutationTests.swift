import Codec
import Platform
import Simulation
import Testing

@testable import Repository

/// Every decoder answers hurt bytes with an error, or reads them as something that is valid; it
/// never crashes, hangs or asks for much memory.
@Suite struct DecoderMutationTests {
    private static let rounds = DecoderTrial.rounds
    private typealias Decoder = DecoderTrial.Decoder

    private static func decoders() throws -> [(name: String, sample: [UInt8], decode: Decoder)] {
        let lease = SampleValues.lease
        return try [
            ("directory", SampleValues.run(), { _ = try TreeRun.decode($0) }),
            (
                "directory with lists", SampleValues.run(hasLists: true),
                { _ = try TreeRun.decode($0) }
            ),
            (
                "list of pieces", SampleValues.list.encoded,
                { _ = try PieceList(decoding: $0, level: 2) }
            ),
            ("snapshot", SampleValues.snapshot.encoded, { _ = try Snapshot(decoding: $0) }),
            (
                "index", PackFormat.encode(index: SampleValues.entries),
                { _ = try PackFormat.decode(index: $0, end: SampleValues.indexOffset) }
            ),
            (
                "footer", SampleValues.footer.encoded,
                { _ = try PackFooter($0, packSize: 1 << 20) }
            ),
            (
                "pack header",
                PackFormat.header(folder: .packs, salt: [UInt8](repeating: 7, count: 32)),
                { _ = try PackFormat.salt(of: $0, folder: .packs) }
            ),
            (
                "blob header", SampleValues.blobHeader,
                { bytes in
                    var reader = ByteReader(bytes)
                    _ = try BlobHeader(from: &reader)
                }
            ),
            ("lease", lease.encoded, { _ = try LeaseRecord($0, location: "lease") }),
            (
                "lease with a right checksum", Array(lease.encoded.dropLast(74)),
                { _ = try LeaseRecord(SampleValues.checked($0), location: "lease") }
            ),
            (
                "control file", SampleValues.checked(Array("holdfast key 1\na b\n".utf8)),
                { _ = try ControlFile($0, kind: "key", location: "key") }
            ),
            (
                "control file with a right checksum", Array("holdfast key 1\na b\nc d\n".utf8),
                { _ = try ControlFile(SampleValues.checked($0), kind: "key", location: "key") }
            ),
            ("key", SampleValues.key(), SampleValues.unwrap),
        ]
    }

    @Test func aMutatedInputIsRefusedOrRead() throws {
        let decoders = try Self.decoders()
        #expect(DecoderTrial.findings(of: decoders, seed: 0x4465_636F_6465) == [])
        print("decoders of Repository: \(decoders.count), \(Self.rounds) mutations each")
    }

    @Test func aSnapshotTellsWhenItsBackupBeganWhereItsVersionDoes() throws {
        var snapshot = try Snapshot(decoding: SampleValues.snapshot.encoded)
        #expect(snapshot.began == Timestamp(seconds: 1_699_999_998, nanoseconds: 999_999_999))
        snapshot.duration = nil
        #expect(try Snapshot(decoding: snapshot.encoded).boot == snapshot.boot)
        #expect(try Snapshot(decoding: snapshot.encoded).began == nil)
    }

    @Test func whatIsReadFromHurtBytesIsWrittenAsItWasRead() throws {
        let random = SeededRandomness(seed: 77)
        for round in 0..<Self.rounds {
            let bytes = random.mutated(SampleValues.snapshot.encoded)
            guard let snapshot = try? Snapshot(decoding: bytes) else { continue }
            #expect(snapshot.encoded == bytes, "round \(round) of seed 77")
        }
    }

    @Test func aMutatedPackIsReadOrRefusedWhole() throws {
        let scene = try RepositoryScene()
        let repository = try scene.open()
        _ = try TestRepository.store(sampleContents, in: repository)
        let name = try #require(try scene.packs().first)
        let whole = try #require(scene.place.contents(name))
        let random = SeededRandomness(seed: 78)
        let cipher = repository.keys.packCipher(salt: try PackReader(name, in: scene.place).salt)
        for round in 0..<Self.rounds / 10 {
            let bytes = random.mutated(whole)
            guard bytes != whole else { continue }
            scene.place.tamper(name, bytes)
            let finding = try scene.check(name, in: repository)
            #expect(finding.reason != nil, "round \(round) of seed 78")
            guard let pack = try? PackReader(name, in: scene.place) else { continue }
            _ = try pack.scan(with: cipher)
        }
    }
}

/// One valid value for each decoder.
enum SampleValues {
    static let digest = Hasher256.digest(Array("sample".utf8))
    static let piece = BlobReference(id: BlobID(digest), size: 700)

    static let database = DatabaseReference(
        stream: [UInt8](repeating: 3, count: 16), position: Position(epoch: 1, sequence: 300),
        chain: digest, fingerprint: [UInt8](repeating: 5, count: 90))

    static func node(
        _ name: String, _ kind: FileKind, _ content: Node.Content
    ) throws -> Node {
        var status = try FileStatus.of(FilePath("/"), followingLinks: false)
        status.kind = kind
        status.size = 700
        status.modified = Timestamp(seconds: 1_700_000_000, nanoseconds: 123_456_789)
        status.changed = status.modified
        var node = Node(name: Array(name.utf8), status: status, settled: true, content: content)
        node.userName = "alice"
        node.attributes = [ExtendedAttribute(name: Array("user.a".utf8), value: [1, 2, 3])]
        return node
    }

    /// Two pieces in a list of the second level.
    static let list = PieceList(level: 2, [PieceList.Entry(piece, bytes: 700)])

    static func run(hasLists: Bool = false) throws -> [UInt8] {
        var writer = TreeRunWriter()
        let extents = [Extent(offset: 0, length: 700)]
        let nodes =
            try [
                node("a", .regular, .file(pieces: PieceList(pieces: [piece]), extents: nil)),
                node("b", .regular, .file(pieces: PieceList(pieces: [piece]), extents: extents)),
                node("c", .directory, .directory(runs: [piece], complete: false)),
                node("d", .symbolicLink, .link(target: Array("a".utf8))),
                node("e", .blockDevice, .device(2049)),
                node("f", .regular, .database(database)),
                node("g", .fifo, .nothing),
                node("h", .regular, .unreadable(reason: "no permission")),
            ] + (hasLists ? [node("i", .regular, .file(pieces: list, extents: extents))] : [])
        for node in nodes { _ = writer.append(node) }
        let run = writer.finish()
        return try #require(run)
    }

    static var snapshot: Snapshot {
        let state = Snapshot.Database(
            path: Array("/srv/app.db".utf8), reference: database, stateRoot: digest,
            pageSize: 4096, pageCount: 70_000)
        var snapshot = Snapshot(
            time: Timestamp(seconds: 1_700_000_000, nanoseconds: 5), host: "alpha", user: "root",
            paths: [Array("/srv".utf8), [0xFF, 0x2F]], tags: ["nightly"], parent: digest,
            root: [piece, piece], databases: [state, state], totals: Snapshot.Totals(),
            program: "holdfast 1.0")
        (snapshot.boot, snapshot.bootID) = (90_000_000_000, [UInt8](repeating: 7, count: 16))
        snapshot.duration = 1_000_000_006
        return snapshot
    }

    static let header = BlobHeader(
        kind: .data, codec: .zlib, storedSize: 500, plainSize: 700, id: BlobID(digest))

    static var entries: [PackEntry] {
        (0..<3).map {
            PackEntry(offset: UInt64(PackFormat.headerSize + $0 * header.span), header: header)
        }
    }

    static var indexOffset: UInt64 { UInt64(PackFormat.headerSize + 3 * header.span) }

    static var footer: PackFooter {
        let size = 3 * 42 + 16
        return PackFooter(
            indexOffset: UInt64((1 << 20) - size - 32), indexSize: size, blobCount: 3)
    }

    static var blobHeader: [UInt8] {
        var writer = ByteWriter()
        header.encode(into: &writer)
        return writer.bytes
    }

    static let lease = LeaseRecord(
        generation: 7, purpose: "backup", host: "alpha",
        taken: Timestamp(seconds: 1_700_000_000, nanoseconds: 0),
        process: .simulated(boot: 3), namespace: "pid:[4026531836]")

    static func checked(_ body: [UInt8]) -> [UInt8] {
        body + Array("checksum \(Hasher256.digest(body).hex)\n".utf8)
    }

    static func key() throws -> [UInt8] {
        try KeyFile.wrap(
            RepositoryKeys.random(SeededRandomness(seed: 1)), for: "r", password: [1],
            parameters: TestRepository.parameters, clock: SimulatedClock(),
            randomness: SeededRandomness(seed: 2))
    }

    static func unwrap(_ bytes: [UInt8]) throws {
        let keys = try KeyFile.unwrap(bytes, for: "r", password: [1], location: "key")
        guard keys != nil else { throw RepositoryError(.wrongPassword, "a wrong password") }
    }
}
