package import Codec

/// Hashes of single pages: SHA-256 over the page's number (4 bytes, big-endian) and its bytes.
package enum PageHash {
    /// Bytes of page 1 that differ between copies of the same content: the versions that state the
    /// journal mode, the change counter, and its repetition.
    private static let volatile = [18..<20, 24..<28, 92..<96]

    /// The hash of a page as it is.
    package static func hash(
        of page: UInt32, _ bytes: UnsafeRawBufferPointer, with hasher: Hasher256
    ) -> Digest {
        withUnsafeBytes(of: page.bigEndian) { hasher.digest($0, bytes) }
    }

    /// What page 1 adds to a state root: its hash with bytes 18–19, 24–27 and 92–95 zeroed.
    package static func rootContribution(
        ofFirst bytes: UnsafeRawBufferPointer, with hasher: Hasher256
    ) -> Digest {
        withUnsafeTemporaryAllocation(byteCount: bytes.count, alignment: 8) { copy in
            copy.copyMemory(from: bytes)
            for range in volatile {
                for index in range where index < copy.count { copy[index] = 0 }
            }
            return hash(of: 1, UnsafeRawBufferPointer(copy), with: hasher)
        }
    }
}
