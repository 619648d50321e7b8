package import Codec
import Platform

/// Turns stored blobs back into plain bytes, each proved by its id; used by one thread.
package final class BlobOpener {
    private let repository: Repository
    private let hasher: KeyedHasher
    private let decompressor = Decompressor()
    /// Ciphers of the packs read last, the newest at the end.
    private var ciphers: [(pack: ObjectName, cipher: Cipher)] = []
    private var sealed: [UInt8] = []
    private var compressed: [UInt8] = []

    private static let cipherLimit = 16

    package init(_ repository: Repository) {
        self.repository = repository
        hasher = repository.keys.blobHasher()
    }

    /// The plain bytes of a blob; throws `damaged` where it is missing or hurt.
    ///
    /// The id names the bytes whatever they are used as: a small database may have been stored as
    /// a plain file before, and its page group is that file's piece.
    ///
    /// Where a pack is gone, the packs are listed again and the blob is looked for once more.
    package func read(_ id: BlobID) throws -> [UInt8] { try read(id, provingID: true) }

    /// The same for a caller that proves the bytes by hashes of its own: that they were sealed
    /// under this id is checked, and hashing them twice is not.
    package func readSealed(_ id: BlobID) throws -> [UInt8] { try read(id, provingID: false) }

    private func read(_ id: BlobID, provingID: Bool) throws -> [UInt8] {
        let number = repository.listingNumber
        var attempt = try attempt(id, provingID)
        if attempt.bytes == nil, attempt.vanished || attempt.failure == nil,
            try repository.listAgain(after: number, vanished: attempt.vanished)
        {
            attempt = try self.attempt(id, provingID)
        }
        if let bytes = attempt.bytes { return bytes }
        throw attempt.failure
            ?? RepositoryError.damage("blob \(id) is in no pack", in: repository.place.location)
    }

    /// One look at all copies of a blob.
    private struct Attempt {
        var bytes: [UInt8]?
        /// Whether a pack was gone.
        var vanished = false
        /// The first failure of a copy that was there.
        var failure: (any Error)?
    }

    private func attempt(_ id: BlobID, _ provingID: Bool) throws -> Attempt {
        var attempt = Attempt()
        for location in try repository.locations(of: id) {
            do {
                attempt.bytes = try read(
                    location.entry, in: try repository.pack(location.pack), provingID: provingID)
                return attempt
            } catch let error as RepositoryError where error.code == .absent {
                attempt.vanished = true
            } catch {
                repository.distrust(id)
                attempt.failure = attempt.failure ?? error  // another copy may be whole
            }
        }
        return attempt
    }

    /// The plain bytes of the blob at an entry of a pack.
    package func read(_ entry: PackEntry, in pack: PackReader) throws -> [UInt8] {
        try read(entry, in: pack, provingID: true)
    }

    private func read(
        _ entry: PackEntry, in pack: PackReader, provingID: Bool
    ) throws -> [UInt8] {
        let span = entry.header.span
        reserve(&sealed, span)
        // Taken out while it is read, so that `open` may use the opener's other buffers.
        var taken: [UInt8] = []
        swap(&taken, &sealed)
        defer { sealed = taken }
        try taken.withUnsafeMutableBytes { buffer in
            let window = UnsafeMutableRawBufferPointer(rebasing: buffer[0..<span])
            guard try pack.file.readSome(into: window, at: entry.offset, of: pack.name) == span
            else {
                throw damage("cut short", entry, pack)
            }
        }
        return try open(entry, stored: taken, of: pack, provingID)
    }

    /// The blob at an entry of a pack as it is to be sealed into another one, proved by its id.
    func recode(_ entry: PackEntry, in pack: PackReader) throws -> EncodedBlob {
        let plain = try read(entry, in: pack)
        let header = entry.header
        // Reading left the compressed bytes where they were opened.
        let bytes = header.codec == .zlib ? compressed[0..<header.storedSize] : plain[...]
        return EncodedBlob(
            kind: header.kind, codec: header.codec, plainSize: header.plainSize, id: header.id,
            bytes: ArraySlice(Array(bytes)))
    }

    private func open(
        _ entry: PackEntry, stored: [UInt8], of pack: PackReader, _ provingID: Bool
    ) throws -> [UInt8] {
        let size = entry.header.plainSize
        return try [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
            try stored.withUnsafeBytes { stored in
                let stored = UnsafeRawBufferPointer(rebasing: stored[0..<entry.header.span])
                let output = UnsafeMutableRawBufferPointer(
                    rebasing: UnsafeMutableRawBufferPointer(buffer)[0..<size])
                try unseal(entry, stored: stored, of: pack, into: output)
                if provingID { try prove(output, entry, pack) }
            }
            count = size
        }
    }

    /// Opens and proves the blob whose stored bytes, header to tag, are in memory.
    ///
    /// - Parameter output: as many bytes as the entry's plain size.
    package func open(
        _ entry: PackEntry, stored: UnsafeRawBufferPointer, of pack: PackReader,
        into output: UnsafeMutableRawBufferPointer
    ) throws {
        try unseal(entry, stored: stored, of: pack, into: output)
        try prove(output, entry, pack)
    }

    private func prove(
        _ plain: UnsafeMutableRawBufferPointer, _ entry: PackEntry, _ pack: PackReader
    ) throws {
        guard BlobID(hasher.digest(UnsafeRawBufferPointer(plain))) == entry.header.id else {
            throw damage("its content is not what its id names", entry, pack)
        }
    }

    /// Opens a blob; its header, and with it its id, is what the seal authenticates.
    private func unseal(
        _ entry: PackEntry, stored: UnsafeRawBufferPointer, of pack: PackReader,
        into output: UnsafeMutableRawBufferPointer
    ) throws {
        let head = UnsafeRawBufferPointer(rebasing: stored[0..<BlobHeader.size])
        let body = UnsafeRawBufferPointer(rebasing: stored[BlobHeader.size...])
        var expected = ByteWriter(capacity: BlobHeader.size)
        entry.header.encode(into: &expected)
        guard expected.bytes.withUnsafeBytes({ $0.elementsEqual(head) }) else {
            throw damage("its header is another one", entry, pack)
        }
        reserve(&compressed, entry.header.storedSize)
        do {
            try unseal(body, head, entry, with: cipher(of: pack), into: output)
        } catch let error as FormatError {
            throw damage("\(error)", entry, pack)
        }
    }

    private func unseal(
        _ body: UnsafeRawBufferPointer, _ head: UnsafeRawBufferPointer, _ entry: PackEntry,
        with cipher: Cipher, into output: UnsafeMutableRawBufferPointer
    ) throws {
        switch entry.header.codec {
        case .stored:
            try cipher.open(body, nonce: entry.offset, authenticating: head, into: output)
        case .zlib:
            let size = entry.header.storedSize
            try compressed.withUnsafeMutableBytes { bytes in
                let plain = UnsafeMutableRawBufferPointer(rebasing: bytes[0..<size])
                try cipher.open(body, nonce: entry.offset, authenticating: head, into: plain)
                try decompressor.decompress(UnsafeRawBufferPointer(plain), into: output)
            }
        }
    }

    /// The cipher of a pack, kept for the next blob of it.
    package func cipher(of pack: PackReader) -> Cipher {
        if let last = ciphers.last, last.pack == pack.name { return last.cipher }
        if let index = ciphers.firstIndex(where: { $0.pack == pack.name }) {
            let known = ciphers.remove(at: index)
            ciphers.append(known)
            return known.cipher
        }
        if ciphers.count == BlobOpener.cipherLimit { ciphers.removeFirst() }
        let cipher = repository.keys.packCipher(salt: pack.salt)
        ciphers.append((pack.name, cipher))
        return cipher
    }

    private func reserve(_ buffer: inout [UInt8], _ size: Int) {
        if buffer.count < size { buffer = [UInt8](repeating: 0, count: size) }
    }

    private func damage(_ what: String, _ entry: PackEntry, _ pack: PackReader) -> RepositoryError {
        RepositoryError.damage("blob \(entry.header.id): \(what)", in: "\(pack.name)")
    }
}
