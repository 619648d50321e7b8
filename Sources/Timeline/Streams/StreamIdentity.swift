package import Codec

/// To what a stream belongs; sealed as the first blob of each of its segments.
package struct StreamIdentity: Sendable, Hashable {
    /// Random, 16 bytes.
    package let stream: [UInt8]
    package let host: String
    /// The database's absolute path, as the walk came to it.
    package let path: [UInt8]

    package init(stream: [UInt8], host: String, path: [UInt8]) {
        precondition(stream.count == 16)
        self.stream = stream
        self.host = host
        self.path = path
    }

    /// Bytes of a database's path, here and in a snapshot.
    static let longestPath = 1 << 16

    package var encoded: [UInt8] {
        var writer = ByteWriter()
        writer.write(u8: 1)
        writer.write(bytes: stream)
        writer.write(counted: Array(host.utf8))
        writer.write(counted: path)
        return writer.bytes
    }

    package init(decoding bytes: [UInt8]) throws(FormatError) {
        var reader = ByteReader(bytes)
        guard try reader.u8() == 1 else { throw FormatError("stream of an unknown version") }
        stream = try reader.bytes(16)
        host = String(decoding: try reader.counted(limit: 4096), as: UTF8.self)
        path = try reader.counted(limit: StreamIdentity.longestPath)
        try reader.finish()
    }
}
