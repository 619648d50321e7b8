// How far the capture of one database has come, in a small file beside its journal:
//
//     chain of the last record (32) · database identity (90) · the wal-index's count of commits (4)
//     · boot (16) · SHA-256 of all before (32)
//
// Written over after each batch and not synced: it survives the end of the process, which is what
// it is for. After a power failure it may be of an earlier batch, torn or empty; then its chain or
// its hash does not fit, and the pages are compared instead.

import Codec
import Glibc
import Platform

/// What a capture that goes on later needs to know to miss nothing and compare nothing.
struct CaptureMark {
    let chain: Digest
    let identity: DatabaseIdentity
    /// The wal-index's count of commits at the last captured one.
    let commits: UInt32
    let bootID: [UInt8]

    private static let bootSize = 16
    private static let size = Digest.size * 2 + DatabaseIdentity.size + 4 + bootSize

    private var encoded: [UInt8] {
        var writer = ByteWriter(capacity: CaptureMark.size)
        writer.write(digest: chain)
        writer.write(bytes: identity.encoded)
        writer.write(u32: commits)
        writer.write(bytes: bootID)
        writer.write(digest: Hasher256.digest(writer.bytes))
        return writer.bytes
    }

    /// Nil where there is none that can be trusted.
    static func read(_ path: FilePath) -> CaptureMark? {
        guard let file = try? Descriptor.open(path, flags: O_RDONLY | O_NOFOLLOW) else {
            return nil
        }
        var bytes = [UInt8](repeating: 0, count: size + 1)
        let count = try? bytes.withUnsafeMutableBytes { try file.read(into: $0, at: 0) }
        guard count == size else { return nil }
        bytes.removeLast()
        return try? CaptureMark(decoding: bytes)
    }

    private init(decoding bytes: [UInt8]) throws(FormatError) {
        var reader = ByteReader(bytes)
        chain = try reader.digest()
        identity = try DatabaseIdentity(decoding: try reader.bytes(DatabaseIdentity.size))
        commits = try reader.u32()
        bootID = try reader.bytes(CaptureMark.bootSize)
        guard try reader.digest() == Hasher256.digest(Array(bytes.dropLast(Digest.size))) else {
            throw FormatError("a mark that was torn")
        }
    }

    init(chain: Digest, identity: DatabaseIdentity, commits: UInt32, bootID: [UInt8]) {
        self.chain = chain
        self.identity = identity
        self.commits = commits
        self.bootID = bootID
    }

    func write(to file: borrowing Descriptor) throws {
        try encoded.withUnsafeBytes { try file.write($0, at: 0) }
    }
}
