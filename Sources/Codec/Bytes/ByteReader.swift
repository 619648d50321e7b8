/// Reads what ``ByteWriter`` wrote, from bytes nobody vouches for.
///
/// Every count is checked against a limit and against what is left before anything is allocated;
/// a varint has exactly one accepted form. Every method throws ``FormatError`` where bytes are
/// missing or out of range, and then the position is unspecified.
package struct ByteReader {
    private let bytes: ArraySlice<UInt8>
    private var position: Int

    package init(_ bytes: [UInt8]) {
        self.init(bytes[...])
    }

    package init(_ slice: ArraySlice<UInt8>) {
        bytes = slice
        position = slice.startIndex
    }

    /// Bytes not read yet.
    package var remaining: Int { bytes.endIndex - position }

    /// Reads one byte.
    package mutating func u8() throws(FormatError) -> UInt8 {
        guard position < bytes.endIndex else { throw cutShort() }
        defer { position += 1 }
        return bytes[position]
    }

    /// Reads two bytes, little-endian.
    package mutating func u16() throws(FormatError) -> UInt16 {
        try fixed(UInt16.self)
    }

    /// Reads four bytes, little-endian.
    package mutating func u32() throws(FormatError) -> UInt32 {
        try fixed(UInt32.self)
    }

    /// Reads eight bytes, little-endian.
    package mutating func u64() throws(FormatError) -> UInt64 {
        try fixed(UInt64.self)
    }

    /// Reads an unsigned LEB128 number; refuses more than 64 bits and any but the shortest form.
    package mutating func varint() throws(FormatError) -> UInt64 {
        var value: UInt64 = 0
        for shift in stride(from: 0 as UInt64, to: 64, by: 7) {
            let byte = try u8()
            value |= UInt64(byte & 0x7F) << shift
            guard byte < 0x80 else { continue }
            let fits = shift < 63 || byte == 1
            guard fits, byte != 0 || shift == 0 else { break }
            return value
        }
        throw FormatError("a number in an unknown form before byte \(offset)")
    }

    /// Reads a zigzag number.
    package mutating func signedVarint() throws(FormatError) -> Int64 {
        let value = try varint()
        return Int64(bitPattern: (value >> 1) ^ (0 &- (value & 1)))
    }

    /// Reads 32 bytes.
    package mutating func digest() throws(FormatError) -> Digest {
        let range = try take(Digest.size)
        return bytes[range].withUnsafeBytes { Digest(bytes: $0) }
    }

    /// Reads exactly so many bytes; a negative count is refused.
    package mutating func bytes(_ count: Int) throws(FormatError) -> [UInt8] {
        Array(bytes[try take(count)])
    }

    /// Reads a varint count of at most `limit`, and that many bytes.
    package mutating func counted(limit: Int) throws(FormatError) -> [UInt8] {
        try bytes(count(limit: limit, elementSize: 1))
    }

    /// Reads a varint count of at most `limit` elements that can still be there.
    ///
    /// - Parameter elementSize: the fewest bytes an element has, at least 1.
    package mutating func count(limit: Int, elementSize: Int) throws(FormatError) -> Int {
        let value = try varint()
        guard let count = Int(exactly: value), count <= limit, count <= remaining / elementSize
        else {
            throw FormatError("a count of \(value) before byte \(offset) is out of range")
        }
        return count
    }

    /// Throws where bytes remain.
    package func finish() throws(FormatError) {
        guard remaining == 0 else {
            throw FormatError("\(remaining) bytes too many from byte \(offset) on")
        }
    }

    private var offset: Int { position - bytes.startIndex }

    private func cutShort() -> FormatError {
        FormatError("cut short at byte \(offset)")
    }

    private mutating func take(_ count: Int) throws(FormatError) -> Range<Int> {
        guard count >= 0, count <= remaining else { throw cutShort() }
        defer { position += count }
        return position..<position + count
    }

    private mutating func fixed<Number: FixedWidthInteger & BitwiseCopyable>(
        _ type: Number.Type
    ) throws(FormatError) -> Number {
        let range = try take(MemoryLayout<Number>.size)
        return Number(littleEndian: bytes[range].withUnsafeBytes { $0.loadUnaligned(as: type) })
    }
}
