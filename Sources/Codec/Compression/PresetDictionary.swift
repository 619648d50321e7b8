// What begins a zlib stream with a preset dictionary (RFC 1950 section 2.2).
//
// | bytes | content                                                                    |
// | ----- | -------------------------------------------------------------------------- |
// | 0     | CMF: method 8 in the low half, binary logarithm of the window less 8 above |
// | 1     | FLG: bit 5 says that a dictionary follows; CMF, FLG divide by 31           |
// | 2..5  | Adler-32 of the dictionary, big-endian                                     |

import CISAL

/// The dictionary a zlib stream leans on.
enum PresetDictionary {
    /// Bytes of deflate's window.
    static let windowBytes = 32 << 10
    /// Bytes before the deflate stream.
    static let headerSize = 6

    /// The part that counts, which is also the part the header's checksum is of.
    static func tail(of dictionary: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: dictionary.suffix(windowBytes))
    }

    /// Whether `stream` begins with the header of a stream that leans on `dictionary`.
    static func isNamed(
        _ dictionary: UnsafeRawBufferPointer, by stream: UnsafeRawBufferPointer
    ) -> Bool {
        guard stream.count >= headerSize else { return false }
        let (method, flags) = (stream[0], stream[1])
        let isHeader =
            method & 0x0F == 8 && method >> 4 <= 7 && flags & 0x20 != 0
            && (UInt16(method) << 8 | UInt16(flags)) % 31 == 0
        let bytes = dictionary.bindMemory(to: UInt8.self).baseAddress
        let checksum = isal_adler32(1, bytes, UInt64(dictionary.count))
        let named = stream.loadUnaligned(fromByteOffset: 2, as: UInt32.self)
        return isHeader && UInt32(bigEndian: named) == checksum
    }
}
