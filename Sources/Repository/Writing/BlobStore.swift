// The writing side of a repository, a bounded pipeline over all cores:
//
//     producer → WorkPool: hash, look up, compress → packing: seal, hash, write
//                                                  → publishing: sync, rename, catalogue
//
// A blob counts as stored for this run once its id is claimed; the run's snapshot is written only
// after `finish`, so nothing refers to a blob before it is durable. A failed sync is final: the
// store fails as a whole, and its packs are not published.

package import Codec
import Platform
import Synchronization

/// What a store has added to the repository.
package struct StoreStatistics: Sendable {
    /// New blobs of files and databases.
    package var dataBlobs = 0
    /// New blobs of directories, and lists of pieces.
    package var treeBlobs = 0
    /// Plain bytes of new blobs.
    package var added: UInt64 = 0
    /// Bytes the new blobs take in the repository.
    package var stored: UInt64 = 0
}

/// The store was given up, or has ended, before a blob reached it.
private struct StoreEnded: Error {}

/// Adds blobs to a repository under a lease.
package final class BlobStore: Sendable {
    private enum Parcel: Sendable {
        case blobs([EncodedBlob])
        case flush
    }

    private struct Sealed: Sendable {
        let pack: FinishedPack
        let staged: StagedFile
    }

    /// An open pack; touched by the packing stage alone.
    private struct OpenPack {
        let writer: PackWriter
        let staged: StagedFile
    }

    private struct Packing {
        var data: OpenPack?
        var tree: OpenPack?
    }

    /// Packs are closed past this size, in bytes.
    package static let packSize: UInt64 = 32 << 20
    /// Packs are closed with so many blobs, however small: an open pack's index is in memory.
    package static let packBlobs = 16_384

    package let pool: WorkPool
    private let repository: Repository
    private let lease: HeldLease
    private let failure = FirstFailure()
    private let claimed = Mutex<Set<BlobID>>([])
    private let totals = Mutex(StoreStatistics())
    private let packing = Mutex(Packing())
    /// Names of staged files that are not published.
    private let staged = Mutex<Set<String>>([])
    private let backlog = ByteBudget(bytes: 24 << 20)
    private let dryRun: Bool
    private let stages = Mutex<(packing: Stage<Parcel>, publishing: Stage<Sealed>)?>(nil)

    /// - Parameter dryRun: measures what would be stored and stores nothing.
    package init(
        _ repository: Repository, lease: HeldLease, level: CompressionLevel, dryRun: Bool = false
    ) {
        self.repository = repository
        self.lease = lease
        self.dryRun = dryRun
        pool = WorkPool(repository, level: level, failure: failure)
        let inline = repository.world.workers == 0
        let publishing = Stage<Sealed>(
            "publish", capacity: 2, inline: inline, failure: failure
        ) { [self] in try publish($0) }
        let packing = Stage<Parcel>(
            "pack", capacity: 256, inline: inline, failure: failure
        ) { [self] in try pack($0) }
        stages.withLock { $0 = (packing, publishing) }
    }

    package var statistics: StoreStatistics { totals.withLock { $0 } }

    /// Stores one blob unless the repository has it; called on a worker with its tools.
    package func put(
        _ bytes: UnsafeRawBufferPointer, kind: BlobKind, with tools: Tools
    ) throws -> BlobID {
        let id = BlobID(tools.blobHasher.digest(bytes))
        var output: [UInt8] = []
        if let blob = try encode(bytes, id: id, kind: kind, with: tools, into: &output) {
            try send([blob.over(output)])
        }
        return id
    }

    /// Stores adjacent pieces of one buffer; the packing stage gets them in one parcel.
    package func put(
        _ pieces: [Range<Int>], of bytes: UnsafeRawBufferPointer, kind: BlobKind, with tools: Tools
    ) throws -> [BlobID] {
        var output: [UInt8] = []
        output.reserveCapacity(bytes.count + 64)
        var ids: [BlobID] = []
        ids.reserveCapacity(pieces.count)
        var blobs: [Pending] = []
        for range in pieces {
            let piece = UnsafeRawBufferPointer(rebasing: bytes[range])
            let id = BlobID(tools.blobHasher.digest(piece))
            ids.append(id)
            if let blob = try encode(piece, id: id, kind: kind, with: tools, into: &output) {
                blobs.append(blob)
            }
        }
        if !blobs.isEmpty { try send(blobs.map { $0.over(output) }) }
        return ids
    }

    /// A blob whose encoded bytes are a range of a buffer still growing.
    private struct Pending {
        let kind: BlobKind
        let codec: BlobCodec
        let plainSize: Int
        let id: BlobID
        let range: Range<Int>

        func over(_ output: [UInt8]) -> EncodedBlob {
            EncodedBlob(
                kind: kind, codec: codec, plainSize: plainSize, id: id, bytes: output[range])
        }
    }

    /// Compresses a blob that is new; nil where the repository or this run has it already.
    private func encode(
        _ bytes: UnsafeRawBufferPointer, id: BlobID, kind: BlobKind, with tools: Tools,
        into output: inout [UInt8]
    ) throws -> Pending? {
        guard bytes.count <= BlobHeader.plainLimit else {
            throw FormatError("\(bytes.count) bytes are more than a blob can hold")
        }
        guard try claim(id) else { return nil }
        let start = output.count
        let codec = tools.compressor.compress(bytes, into: &output)
        let stored = output.count - start
        count(kind, plain: bytes.count, stored: stored + BlobHeader.size + Cipher.tagSize)
        return Pending(
            kind: kind, codec: codec, plainSize: bytes.count, id: id, range: start..<output.count)
    }

    private func claim(_ id: BlobID) throws -> Bool {
        guard claimed.withLock({ $0.insert(id).inserted }) else { return false }
        guard try repository.holds(id) else { return true }
        claimed.withLock { _ = $0.remove(id) }
        return false
    }

    private func count(_ kind: BlobKind, plain: Int, stored: Int) {
        totals.withLock { totals in
            if kind.isListing { totals.treeBlobs += 1 } else { totals.dataBlobs += 1 }
            totals.added += UInt64(plain)
            totals.stored += UInt64(stored)
        }
    }

    private func send(_ blobs: [EncodedBlob]) throws {
        guard !dryRun else { return }
        let bytes = blobs.reduce(0) { $0 + $1.bytes.count }
        backlog.take(bytes)
        do {
            try failure.check()
        } catch {
            backlog.give(bytes)  // or others would wait for them for ever
            throw error
        }
        guard let packing = stages.withLock({ $0?.packing }) else { throw StoreEnded() }
        try packing.send(.blobs(blobs))
    }

    // MARK: Packing

    private func pack(_ parcel: Parcel) throws {
        switch parcel {
        case .blobs(let blobs):
            defer { backlog.give(blobs.reduce(0) { $0 + $1.bytes.count }) }
            try failure.check()
            try packing.withLock { packing in
                for blob in blobs {
                    let slot = blob.kind.isListing ? \Packing.tree : \Packing.data
                    try append(blob, to: &packing[keyPath: slot])
                }
            }
        case .flush:
            try failure.check()
            try packing.withLock { packing in
                try close(&packing.data)
                try close(&packing.tree)
            }
        }
    }

    private func append(_ blob: EncodedBlob, to slot: inout OpenPack?) throws {
        let open = try slot ?? begin()
        slot = open
        try open.writer.append(blob)
        guard open.writer.size < BlobStore.packSize, open.writer.count < BlobStore.packBlobs else {
            return try close(&slot)
        }
    }

    private func begin() throws -> OpenPack {
        try lease.check()
        let staged = try repository.place.stage(under: lease.id)
        self.staged.withLock { _ = $0.insert(staged.name) }
        let salt = repository.world.randomness.bytes(PackFormat.saltSize)
        let writer = try PackWriter(
            file: staged.file, folder: .packs, keys: repository.keys, salt: salt)
        return OpenPack(writer: writer, staged: staged)
    }

    private func close(_ slot: inout OpenPack?) throws {
        guard let open = slot else { return }
        slot = nil
        let finished = try open.writer.finish()
        // A pack may be dropped only where the whole store fails.
        guard let publishing = stages.withLock({ $0?.publishing }) else { throw StoreEnded() }
        try publishing.send(Sealed(pack: finished, staged: open.staged))
    }

    // MARK: Publishing

    private func publish(_ sealed: Sealed) throws {
        try failure.check()
        try sealed.staged.file.sync()
        try sealed.staged.file.close()
        try repository.place.publish(sealed.staged.name, under: lease.id, as: sealed.pack.name)
        staged.withLock { _ = $0.remove(sealed.staged.name) }
        try repository.add(sealed.pack)
        claimed.withLock { claimed in
            for entry in sealed.pack.entries { claimed.remove(entry.header.id) }
        }
    }

    // MARK: The end

    /// Waits until everything that was put is durable; throws the first failure of any stage.
    package func finish() throws -> StoreStatistics {
        pool.finish()
        // The stages stay where they are found: the packing thread looks there for the next one
        // for as long as it has parcels.
        if let running = stages.withLock({ $0 }) {
            // The parcels before the flush are in order; only then does the next stage end.
            do {
                try running.packing.send(.flush)
            } catch {
                failure.record(error)
            }
            running.packing.finish()
            running.publishing.finish()
            stages.withLock { $0 = nil }
        }
        try failure.check()
        try lease.check()
        if !dryRun { try repository.place.settle(.packs) }
        return statistics
    }

    /// Gives up: ends the threads, and removes what is not published.
    package func cancel(because error: any Error) {
        failure.record(error)
        backlog.close()
        pool.finish()
        let running = stages.withLock { stages in
            defer { stages = nil }
            return stages
        }
        running?.packing.finish()
        running?.publishing.finish()
        discardStaged()
    }

    /// A lease may live on for months, and the repository may be full: that may be of these files.
    private func discardStaged() {
        let names = staged.withLock { staged in
            defer { staged = [] }
            return staged
        }
        for name in names {
            do {
                try repository.place.discard(name, under: lease.id)
            } catch {
                return  // the repository is away, or the lease gone; with the lease they go
            }
        }
    }
}
