import CZlib

/// libz's deflate in zlib format; one stream a call.
final class Deflater {
    // deflate keeps a pointer to its stream, which therefore must not move.
    private let stream: UnsafeMutablePointer<z_stream>

    init(level: CInt) {
        stream = .allocate(capacity: 1)
        stream.initialize(to: z_stream())
        let result = deflateInit_(
            stream, level, ZLIB_VERSION, CInt(MemoryLayout<z_stream>.size))
        guard result == Z_OK else { fatalError("libz: deflateInit returned \(result)") }
    }

    deinit {
        deflateEnd(stream)
        stream.deallocate()
    }

    /// The most bytes a stream of so many bytes has, with a preset dictionary or without.
    static func bound(_ size: Int) -> Int {
        // deflateBound's own figure counts no dictionary before one is set: four bytes name it.
        Int(compressBound(UInt(size))) + 4
    }

    /// Returns the bytes written, or nil where the stream does not fit `output`.
    func deflate(
        _ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer
    ) -> Int? {
        deflateReset(stream)
        return finish(input, into: output)
    }

    /// The same with a preset dictionary (RFC 1950 section 2.2) of 1 byte to 32 KiB.
    func deflate(
        _ input: UnsafeRawBufferPointer, dictionary: UnsafeRawBufferPointer,
        into output: UnsafeMutableRawBufferPointer
    ) -> Int? {
        deflateReset(stream)
        let bytes = dictionary.bindMemory(to: UInt8.self).baseAddress
        let result = deflateSetDictionary(stream, bytes, UInt32(dictionary.count))
        precondition(result == Z_OK)
        return finish(input, into: output)
    }

    private func finish(
        _ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer
    ) -> Int? {
        precondition(input.count <= Int(UInt32.max))
        // The field lacks const; deflate does not write through it.
        stream.pointee.next_in = UnsafeMutablePointer(
            mutating: input.bindMemory(to: UInt8.self).baseAddress)
        stream.pointee.avail_in = UInt32(input.count)
        stream.pointee.next_out = output.bindMemory(to: UInt8.self).baseAddress
        stream.pointee.avail_out = UInt32(clamping: output.count)
        guard CZlib.deflate(stream, Z_FINISH) == Z_STREAM_END else { return nil }
        return Int(stream.pointee.total_out)
    }
}
