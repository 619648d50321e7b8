package import Codec
package import Platform

/// Reads one pack; safe for use by several threads.
package final class PackReader: Sendable {
    package let name: ObjectName
    package let file: any DiskReader
    /// The pack's salt, from which its cipher is made.
    let salt: [UInt8]
    let header: [UInt8]

    /// Opens a pack; throws `absent`, or `damaged` where its header is none.
    package init(_ name: ObjectName, in place: any Place) throws {
        self.name = name
        file = try place.open(name)
        header = try file.readFully(at: 0, count: PackFormat.headerSize, of: name)
        do {
            salt = try PackFormat.salt(of: header, folder: name.folder)
        } catch {
            throw RepositoryError.damage("\(error)", in: "\(name)")
        }
    }

    package var size: UInt64 { file.size }

    /// The pack's own index; throws `damaged` where it cannot be trusted.
    package func index(with cipher: Cipher) throws -> [PackEntry] {
        let minimum = UInt64(PackFormat.headerSize + PackFormat.footerSize)
        guard size >= minimum else { throw RepositoryError.damage("cut short", in: "\(name)") }
        let end = size - UInt64(PackFormat.footerSize)
        let bytes = try file.readFully(at: end, count: PackFormat.footerSize, of: name)
        do {
            let footer = try PackFooter(bytes, packSize: size)
            let sealed = try file.readFully(
                at: footer.indexOffset, count: footer.indexSize, of: name)
            let plain = try cipher.open(sealed, nonce: footer.indexOffset, authenticating: header)
            let entries = try PackFormat.decode(index: plain, end: footer.indexOffset)
            guard entries.count == footer.blobCount else {
                throw FormatError("index and footer count blobs differently")
            }
            return entries
        } catch let error as FormatError {
            throw RepositoryError.damage("\(error)", in: "\(name)")
        }
    }

    /// The blob that the pack begins with; nil where that is hurt too.
    package func firstBlob(with cipher: Cipher) -> PackEntry? {
        var effort = size
        return blob(at: UInt64(PackFormat.headerSize), with: cipher, effort: &effort)
    }

    /// Finds blobs by their headers where the index is lost; each is proved by its tag.
    package func scan(with cipher: Cipher) throws -> [PackEntry] {
        let magic = withUnsafeBytes(of: BlobHeader.magic.littleEndian) { Array($0) }
        let window = 1 << 16
        var entries: [PackEntry] = []
        var offset = UInt64(PackFormat.headerSize)
        // Headers that claim much and hold nothing must not cost more than the pack is worth.
        var effort = size &* 8
        while offset + UInt64(BlobHeader.size) <= size, effort > 0 {
            if let entry = blob(at: offset, with: cipher, effort: &effort) {
                entries.append(entry)
                offset += UInt64(entry.header.span)
                continue
            }
            let count = Int(min(UInt64(window), size - offset - 1))
            let bytes = try file.readFully(at: offset + 1, count: count, of: name)
            if let found = bytes.firstIndex(of: magic) {
                offset += 1 + UInt64(found)
            } else {
                offset += UInt64(max(1, count - magic.count + 1))
            }
            effort = effort > UInt64(count) ? effort - UInt64(count) : 0
        }
        return entries
    }

    private func blob(
        at offset: UInt64, with cipher: Cipher, effort: inout UInt64
    ) -> PackEntry? {
        do {
            let bytes = try file.readFully(at: offset, count: BlobHeader.size, of: name)
            var reader = ByteReader(bytes)
            let header = try BlobHeader(from: &reader)
            let cost = UInt64(header.span)
            effort = effort > cost ? effort - cost : 0
            let sealed = try file.readFully(
                at: offset + UInt64(BlobHeader.size), count: header.storedSize + Cipher.tagSize,
                of: name)
            _ = try cipher.open(sealed, nonce: offset, authenticating: bytes)
            return PackEntry(offset: offset, header: header)
        } catch {
            return nil  // not a blob: the scan goes on behind it
        }
    }
}

extension Cipher {
    /// The plain bytes of a sealed run; throws where key, place or bytes are not the right ones.
    func open(
        _ sealed: [UInt8], nonce: UInt64, authenticating header: [UInt8]
    ) throws(FormatError) -> [UInt8] {
        guard sealed.count >= Cipher.tagSize else { throw FormatError("sealed bytes cut short") }
        var plain = [UInt8](repeating: 0, count: sealed.count - Cipher.tagSize)
        let result = plain.withUnsafeMutableBytes { plain in
            sealed.withUnsafeBytes { sealed in
                header.withUnsafeBytes { header in
                    Result { () throws(FormatError) in
                        try open(sealed, nonce: nonce, authenticating: header, into: plain)
                    }
                }
            }
        }
        try result.get()
        return plain
    }
}

extension [UInt8] {
    /// Where `pattern` occurs first.
    fileprivate func firstIndex(of pattern: [UInt8]) -> Int? {
        guard count >= pattern.count else { return nil }
        return (0...count - pattern.count).first { start in
            self[start] == pattern[0] && self[start..<start + pattern.count].elementsEqual(pattern)
        }
    }
}
