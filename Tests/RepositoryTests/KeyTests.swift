import Codec
import Platform
import Repository
import Simulation
import Testing

@Suite struct KeyTests {
    /// Bits to flip in a byte; the second makes a version of 3.
    private static func masks(_ index: Int) -> [UInt8] {
        TestShare.isWhole ? (0..<8).map { 1 << $0 } : [1 << (index % 8), 2]
    }

    private static let other = Array("another password".utf8)

    /// A repository that opens with two passwords; the second one's key file.
    private static func withTwoPasswords() throws -> (RepositoryScene, ObjectName) {
        let scene = try RepositoryScene()
        let repository = try scene.open()
        let key = try KeyFile.wrap(
            repository.keys, for: repository.identity, password: other,
            parameters: TestRepository.parameters, clock: scene.clock,
            randomness: SeededRandomness(seed: 77))
        let name = ObjectName(.keys, "second")
        try scene.place.create(name, key)
        return (scene, name)
    }

    @Test func eachPasswordOpensTheSameRepository() throws {
        let (scene, _) = try Self.withTwoPasswords()
        let ids = try TestRepository.store(sampleContents, in: scene.open())
        let repository = try scene.open(cache: "other", password: Self.other)
        try repository.refresh()
        #expect(try BlobOpener(repository).read(ids[0]) == sampleContents[0])
    }

    @Test func aWrongPasswordIsCalledWrong() throws {
        let (scene, _) = try Self.withTwoPasswords()
        for wrong in ["", "correct horsf", "correct horse "] {
            let failure = try code { _ = try scene.open(password: Array(wrong.utf8)) }
            #expect(failure == .wrongPassword)
        }
    }

    @Test func aDamagedKeyIsNotAWrongPassword() throws {
        let scene = try RepositoryScene()
        let name = try #require(try scene.place.list(.keys).first?.name)
        let whole = try #require(scene.place.contents(name))
        for index in whole.indices {
            for mask in Self.masks(index) {
                var bytes = whole
                bytes[index] ^= mask
                scene.place.tamper(name, bytes)
                #expect(
                    try code { _ = try scene.open() } == .damaged, "byte \(index) xor \(mask)")
            }
        }
        for count in whole.indices {
            scene.place.tamper(name, Array(whole.prefix(count)))
            #expect(try code { _ = try scene.open() } == .damaged, "\(count) bytes")
        }
    }

    @Test func aDamagedKeyDoesNotLockOutTheOtherPasswords() throws {
        let (scene, second) = try Self.withTwoPasswords()
        scene.place.tamper(second, Array("nonsense".utf8))
        _ = try scene.open()
        #expect(try code { _ = try scene.open(password: Self.other) } == .damaged)
    }

    @Test func aRepositoryWithoutKeysIsDamaged() throws {
        let scene = try RepositoryScene()
        for key in try scene.place.list(.keys) { scene.place.tamper(key.name, nil) }
        #expect(try code { _ = try scene.open() } == .damaged)
    }

    @Test func theKeyOfAnotherRepositoryIsDamage() throws {
        let (scene, other) = (try RepositoryScene(), try RepositoryScene(seed: 2))
        let name = try #require(try scene.place.list(.keys).first?.name)
        let foreign = try #require(try other.place.list(.keys).first?.name)
        scene.place.tamper(name, other.place.contents(foreign))
        #expect(try code { _ = try scene.open() } == .damaged)
    }

    // MARK: config

    @Test func eachFlippedBitOfTheConfigIsFoundWhenOpening() throws {
        let scene = try RepositoryScene()
        let whole = try #require(try scene.place.readConfig())
        for index in whole.indices {
            for mask in Self.masks(index) {
                var bytes = whole
                bytes[index] ^= mask
                scene.place.tamperConfig(bytes)
                #expect(
                    try code { _ = try scene.open() } == .damaged, "byte \(index) xor \(mask)")
            }
        }
    }

    @Test func whereNoConfigIsThereIsNoRepository() throws {
        let scene = try RepositoryScene()
        scene.place.tamperConfig(nil)
        #expect(try code { _ = try scene.open() } == .missing)
    }

    @Test func aNewerVersionIsRefusedByName() throws {
        let scene = try RepositoryScene()
        let config = try #require(try scene.place.readConfig())
        scene.place.tamperConfig(Self.newer(config))
        #expect(try code { _ = try scene.open() } == .version)
        scene.place.tamperConfig(config)
        let key = try #require(try scene.place.list(.keys).first?.name)
        scene.place.tamper(key, Self.newer(try #require(scene.place.contents(key))))
        #expect(try code { _ = try scene.open() } == .version)
    }

    /// A control file as a later Holdfast may write it: version 2, its checksum right.
    private static func newer(_ file: [UInt8]) -> [UInt8] {
        var lines = String(decoding: file, as: UTF8.self).split(separator: "\n").map(String.init)
        lines[0] = String(lines[0].dropLast()) + "2"
        let body = Array((lines.dropLast().joined(separator: "\n") + "\n").utf8)
        return body + Array("checksum \(Hasher256.digest(body).hex)\n".utf8)
    }
}
