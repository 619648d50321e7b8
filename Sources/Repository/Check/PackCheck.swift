import Codec
import Platform

/// Reads a whole pack and proves every byte of it.
package struct PackCheck {
    /// What was found in one pack.
    package struct Finding: Sendable {
        package let pack: ObjectName
        package var bytes: UInt64 = 0
        /// Whether it is not there: removed since it was listed, or lost.
        package var isAbsent = false
        /// Why the pack as a whole is not what it should be.
        package var reason: String?
        /// Blobs of it that cannot be read.
        package var blobs: [BlobID] = []
        /// The blobs that a search found, where the index is lost; nil where it is whole.
        package var found: Set<BlobID>?
    }

    private let tools: Tools
    private let place: any Place

    /// - Parameter tools: of the worker that checks.
    package init(_ place: any Place, with tools: Tools) {
        self.place = place
        self.tools = tools
    }

    /// Checks name, index and each blob; what is wrong is in the finding, only I/O errors throw.
    package func run(_ name: ObjectName) throws -> Finding {
        var finding = Finding(pack: name)
        finding.found = []
        do {
            let pack = try PackReader(name, in: place)
            finding.bytes = pack.size
            let cipher = tools.opener.cipher(of: pack)
            let entries: [PackEntry]
            do {
                entries = try pack.index(with: cipher)
                finding.found = nil
            } catch let error as RepositoryError where error.code == .damaged {
                finding.reason = error.message
                entries = try pack.scan(with: cipher)
                finding.found = Set(entries.map(\.header.id))
            }
            let digest = try digest(pack, entries, &finding)
            if digest.hex != name.name, finding.reason == nil {
                finding.reason = "\(name): its bytes are not those it is named by"
            }
        } catch let error as RepositoryError where error.code == .damaged {
            finding.reason = error.message
        } catch let error as RepositoryError where error.code == .absent {
            finding.isAbsent = true
        }
        return finding
    }

    /// The digest of all bytes; the blobs are opened on the way.
    private func digest(
        _ pack: PackReader, _ entries: [PackEntry], _ finding: inout Finding
    ) throws -> Digest {
        let hasher = Hasher256()
        hasher.begin()
        var offset: UInt64 = 0
        var buffer: [UInt8] = []
        var plain: [UInt8] = []
        for entry in entries {
            try PackCheck.noting(&finding) { try hash(pack, offset..<entry.offset, hasher) }
            let span = entry.header.span
            grow(&buffer, span)
            grow(&plain, entry.header.plainSize)
            let isWhole = try PackCheck.noting(&finding) {
                try buffer.withUnsafeMutableBytes { buffer in
                    let stored = UnsafeMutableRawBufferPointer(rebasing: buffer[0..<span])
                    try plain.withUnsafeMutableBytes { plain in
                        let output = UnsafeMutableRawBufferPointer(
                            rebasing: plain[0..<entry.header.plainSize])
                        try open(entry, of: pack, stored, hasher, into: output)
                    }
                }
            }
            if !isWhole { finding.blobs.append(entry.header.id) }
            offset = entry.offset + UInt64(span)
        }
        try PackCheck.noting(&finding) { try hash(pack, offset..<pack.size, hasher) }
        return hasher.finish()
    }

    private func open(
        _ entry: PackEntry, of pack: PackReader, _ stored: UnsafeMutableRawBufferPointer,
        _ hasher: Hasher256, into output: UnsafeMutableRawBufferPointer
    ) throws {
        guard
            try pack.file.readSome(into: stored, at: entry.offset, of: pack.name) == stored.count
        else { throw RepositoryError.damage("cut short", in: "\(pack.name)") }
        hasher.update(UnsafeRawBufferPointer(stored))
        try tools.opener.open(
            entry, stored: UnsafeRawBufferPointer(stored), of: pack, into: output)
    }

    /// Runs a step that damage does not stop the check at; false where there was some.
    @discardableResult
    private static func noting(_ finding: inout Finding, _ step: () throws -> Void) throws -> Bool {
        do {
            try step()
            return true
        } catch let error as RepositoryError where error.code == .damaged {
            finding.reason = finding.reason ?? error.message
            return false
        }
    }

    private func hash(
        _ pack: PackReader, _ range: Range<UInt64>, _ hasher: Hasher256
    ) throws {
        var offset = range.lowerBound
        while offset < range.upperBound {
            let count = Int(min(UInt64(1 << 20), range.upperBound - offset))
            let bytes = try pack.file.readFully(at: offset, count: count, of: pack.name)
            bytes.withUnsafeBytes { hasher.update($0) }
            offset += UInt64(count)
        }
    }

    private func grow(_ buffer: inout [UInt8], _ size: Int) {
        if buffer.count < size { buffer = [UInt8](repeating: 0, count: size) }
    }
}
