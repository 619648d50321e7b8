/// Appends numbers, bytes and digests in the encoding that ``ByteReader`` reads.
///
/// Fixed-width numbers are little-endian. A varint is unsigned LEB128 in its shortest form; a
/// signed one is mapped to it by zigzag (0, -1, 1, -2, …).
package struct ByteWriter {
    /// What was written so far.
    package private(set) var bytes: [UInt8] = []

    /// - Parameter capacity: bytes that are likely to be written.
    package init(capacity: Int = 0) {
        bytes.reserveCapacity(capacity)
    }

    /// Writes one byte.
    package mutating func write(u8 value: UInt8) {
        bytes.append(value)
    }

    /// Writes two bytes.
    package mutating func write(u16 value: UInt16) {
        write(fixed: value)
    }

    /// Writes four bytes.
    package mutating func write(u32 value: UInt32) {
        write(fixed: value)
    }

    /// Writes eight bytes.
    package mutating func write(u64 value: UInt64) {
        write(fixed: value)
    }

    private mutating func write(fixed value: some FixedWidthInteger) {
        withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
    }

    /// Writes 1 to 10 bytes.
    package mutating func write(varint value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(truncatingIfNeeded: rest))
    }

    /// Writes 1 to 10 bytes; small magnitudes are short.
    package mutating func write(signedVarint value: Int64) {
        write(varint: UInt64(bitPattern: (value << 1) ^ (value >> 63)))
    }

    /// Writes bytes whose number the reader knows.
    package mutating func write(bytes added: [UInt8]) {
        bytes.append(contentsOf: added)
    }

    /// Writes bytes whose number the reader knows.
    package mutating func write(bytes added: ArraySlice<UInt8>) {
        bytes.append(contentsOf: added)
    }

    /// Writes bytes whose number the reader knows.
    package mutating func write(bytes added: UnsafeRawBufferPointer) {
        bytes.append(contentsOf: added)
    }

    /// Writes a varint count of bytes, and the bytes.
    package mutating func write(counted added: [UInt8]) {
        write(varint: UInt64(added.count))
        bytes.append(contentsOf: added)
    }

    /// Writes 32 bytes.
    package mutating func write(digest: Digest) {
        digest.withUnsafeBytes { bytes.append(contentsOf: $0) }
    }
}
