import Codec
package import Platform
package import Repository
import Synchronization

/// A repository's files in the memory of a test; each step is durable and whole when it returns.
package final class MemoryPlace: Place {
    private struct Lease {
        var record: [UInt8]
        var staged: [String: MemoryFile] = [:]
    }

    private struct State {
        var isPrepared = false
        var isReadOnly = false
        var config: [UInt8]?
        var files: [ObjectName: [UInt8]] = [:]
        var leases: [LeaseID: Lease] = [:]
        var claims: [String: [UInt64: LeaseID]] = [:]
        var staged = 0
    }

    package let location: String
    private let state = Mutex(State())

    package init(_ location: String = "memory") {
        self.location = location
    }

    /// From now on nothing here can be changed.
    package func makeReadOnly() {
        state.withLock { $0.isReadOnly = true }
    }

    private func change<R>(_ step: (inout State) throws -> R) throws -> R {
        try state.withLock { state in
            guard !state.isReadOnly else {
                throw RepositoryError(.readOnly, "\(location) takes no writes")
            }
            return try step(&state)
        }
    }

    /// Changes a lease, which must not be gone.
    private func change<R>(
        _ lease: LeaseID, _ step: (inout State, inout Lease) throws -> R
    ) throws -> R {
        try change { state in
            guard var held = state.leases[lease] else {
                throw RepositoryError(.revoked, "the lease on \(location) was revoked")
            }
            defer { state.leases[lease] = held }
            return try step(&state, &held)
        }
    }

    // MARK: The repository

    package func prepare() throws {
        try change { state in
            guard state.config == nil, !state.files.keys.contains(where: { $0.folder != .keys })
            else {
                throw RepositoryError(.exists, "there is a repository at \(location) already")
            }
            state.files = [:]
            state.isPrepared = true
        }
    }

    package func readConfig() throws -> [UInt8]? {
        state.withLock { $0.config }
    }

    package func createConfig(_ bytes: [UInt8]) throws {
        try change { state in
            guard state.config == nil else {
                throw RepositoryError(.exists, "\(location) has a config already")
            }
            state.config = bytes
        }
    }

    package func list(_ folder: Folder) throws -> [StoredFile] {
        state.withLock { state in
            state.files.filter { $0.key.folder == folder }
                .map { StoredFile(name: $0.key, size: UInt64($0.value.count)) }
        }
    }

    package func open(_ name: ObjectName) throws -> any DiskReader {
        guard let bytes = state.withLock({ $0.files[name] }) else {
            throw RepositoryError(.absent, "\(name) is missing from \(location)")
        }
        return MemoryReader(bytes)
    }

    package func create(_ name: ObjectName, _ bytes: [UInt8]) throws {
        try change { state in
            guard state.files[name] == nil else {
                throw RepositoryError(.exists, "\(name) exists already")
            }
            state.files[name] = bytes
        }
    }

    package func remove(_ names: [ObjectName]) throws {
        try change { state in
            for name in names { state.files[name] = nil }
        }
    }

    /// Changes what a file holds, or takes it away, as an accident does.
    package func tamper(_ name: ObjectName, _ bytes: [UInt8]?) {
        state.withLock { $0.files[name] = bytes }
    }

    /// Changes `config` as an accident does.
    package func tamperConfig(_ bytes: [UInt8]?) {
        state.withLock { $0.config = bytes }
    }

    /// What a file holds.
    package func contents(_ name: ObjectName) -> [UInt8]? {
        state.withLock { $0.files[name] }
    }

    // MARK: Leases

    package func leases() throws -> [LeaseID] {
        state.withLock { Array($0.leases.keys) }
    }

    package func read(lease: LeaseID) throws -> [UInt8]? {
        state.withLock { $0.leases[lease]?.record }
    }

    package func begin(lease: LeaseID, _ bytes: [UInt8]) throws {
        try change { $0.leases[lease] = Lease(record: bytes) }
    }

    package func renew(lease: LeaseID, _ bytes: [UInt8]) throws {
        try change(lease) { $1.record = bytes }
    }

    package func end(lease: LeaseID) throws {
        try change(lease) { _, _ in }
        try revoke(lease: lease)
    }

    package func revoke(lease: LeaseID) throws {
        try change { $0.leases[lease] = nil }
    }

    package func sweepLeases() throws {}

    // MARK: Files under a lease

    package func stage(under lease: LeaseID) throws -> StagedFile {
        try change(lease) { state, held in
            state.staged += 1
            let file = MemoryFile()
            let name = "part-\(state.staged)"
            held.staged[name] = file
            return StagedFile(name: name, file: file)
        }
    }

    package func discard(_ staged: String, under lease: LeaseID) throws {
        try change { $0.leases[lease]?.staged[staged] = nil }
    }

    package func publish(_ staged: String, under lease: LeaseID, as name: ObjectName) throws {
        try change(lease) { state, held in
            guard let file = held.staged.removeValue(forKey: staged) else {
                throw RepositoryError(.absent, "\(staged) was not staged")
            }
            state.files[name] = file.syncedBytes
        }
    }

    package func settle(_ folder: Folder) throws {
        try change { _ in }
    }

    // MARK: Claims

    package func claims(on subject: String) throws -> [(number: UInt64, lease: LeaseID)] {
        state.withLock { state in
            (state.claims[subject] ?? [:]).sorted { $0.key < $1.key }
                .map { (number: $0.key, lease: $0.value) }
        }
    }

    package func claim(_ subject: String, number: UInt64, under lease: LeaseID) throws {
        try change(lease) { state, _ in
            guard number > state.claims[subject]?.keys.max() ?? 0 else {
                throw RepositoryError(.exists, "claim \(number) on \(subject) is taken")
            }
            state.claims[subject] = [number: lease]
        }
    }

    package func giveUpClaim(_ subject: String, number: UInt64) throws {
        try change { state in
            guard state.claims[subject]?.keys.max() == number else {
                throw RepositoryError(.exists, "claim \(number + 1) on \(subject) is taken")
            }
            state.claims[subject] = [number + 1: .nobody]
        }
    }
}

/// A file of a place in memory that is being written.
private final class MemoryFile: DiskWriter {
    private struct State {
        var bytes: [UInt8] = []
        var synced = 0
    }

    private let state = Mutex(State())

    /// What may be published: all of it, or the writer forgot something.
    var syncedBytes: [UInt8] {
        state.withLock { state in
            precondition(state.synced == state.bytes.count, "published before it was synced")
            return state.bytes
        }
    }

    func write(_ bytes: UnsafeRawBufferPointer) throws(SystemError) {
        state.withLock { $0.bytes.append(contentsOf: bytes) }
    }

    func sync() throws(SystemError) {
        state.withLock { $0.synced = $0.bytes.count }
    }

    func close() throws(SystemError) {}
}

/// A file of a place in memory as it was when it was opened.
private final class MemoryReader: DiskReader {
    private let bytes: [UInt8]

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    var size: UInt64 { UInt64(bytes.count) }

    func read(
        into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64
    ) throws(SystemError) -> Int {
        guard offset < size else { return 0 }
        let start = Int(offset)
        let count = min(buffer.count, bytes.count - start)
        bytes.withUnsafeBytes {
            buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[start..<start + count]))
        }
        return count
    }
}
