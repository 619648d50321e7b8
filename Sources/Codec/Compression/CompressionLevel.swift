/// How much work compression may be.
package enum CompressionLevel: String, CaseIterable, Sendable {
    /// ISA-L's level 1: several times as fast as libz, a little larger.
    case fast
    /// libz's level 6.
    case balanced
    /// libz's level 9.
    case max
}

/// How the bytes of a blob are stored.
package enum BlobCodec: UInt8, Sendable {
    /// As they are.
    case stored = 0
    /// As one zlib stream (RFC 1950) without preset dictionary.
    case zlib = 1
}
