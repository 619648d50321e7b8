package import Codec
package import Platform
package import Repository

/// Repositories as tests make them: a cheap key, one password.
package enum TestRepository {
    package static let password = Array("correct horse".utf8)
    package static let parameters = ScryptParameters(logN: 1, r: 1, p: 1)

    /// Makes an empty repository.
    package static func make(at place: any Place, world: World) throws {
        _ = try RepositoryConfig.create(
            at: place, password: password, parameters: parameters, world: world)
    }

    /// Opens a repository; its catalogue lies in `cache`.
    package static func open(
        _ place: any Place, cache: FilePath, world: World, password: [UInt8] = password
    ) throws -> Repository {
        try Repository(at: place, password: password, cacheDirectory: cache, world: world)
    }

    /// Makes a repository, takes a lease and stores blobs; answers their ids.
    package static func store(
        _ contents: [[UInt8]], kind: BlobKind = .data, in repository: Repository
    ) throws -> [BlobID] {
        let lease = try HeldLease(
            on: repository.place, purpose: "test", world: repository.world)
        try repository.refresh()
        let store = BlobStore(repository, lease: lease, level: .fast)
        let tools = Tools(repository, level: .fast)
        let ids = try contents.map { bytes in
            try bytes.withUnsafeBytes { try store.put($0, kind: kind, with: tools) }
        }
        _ = try store.finish()
        try lease.end()
        return ids
    }
}
