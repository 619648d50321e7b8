import CZlib

/// libz as it comes, to compare with.
enum ReferenceZlib {
    /// A stream at a level of libz, with a window of 2^`windowBits` bytes.
    static func deflate(
        _ input: [UInt8], level: CInt, windowBits: CInt = 15, strategy: CInt = Z_DEFAULT_STRATEGY,
        dictionary: [UInt8] = []
    ) -> [UInt8] {
        var stream = z_stream()
        deflateInit2_(
            &stream, level, Z_DEFLATED, windowBits, 8, strategy, ZLIB_VERSION,
            CInt(MemoryLayout<z_stream>.size))
        defer { deflateEnd(&stream) }
        if !dictionary.isEmpty {
            deflateSetDictionary(&stream, dictionary, UInt32(dictionary.count))
        }
        var (input, output) = (input, [UInt8](repeating: 0, count: input.count * 2 + 1024))
        let (inputSize, outputSize) = (UInt32(input.count), UInt32(output.count))
        let size = input.withUnsafeMutableBufferPointer { input in
            output.withUnsafeMutableBufferPointer { output in
                (stream.next_in, stream.avail_in) = (input.baseAddress, inputSize)
                (stream.next_out, stream.avail_out) = (output.baseAddress, outputSize)
                let result = CZlib.deflate(&stream, Z_FINISH)
                precondition(result == Z_STREAM_END)
                return Int(stream.total_out)
            }
        }
        return Array(output.prefix(size))
    }

    /// The plain bytes, or nil where libz refuses the stream or anything follows it.
    static func inflate(_ input: [UInt8], size: Int, dictionary: [UInt8] = []) -> [UInt8]? {
        var stream = z_stream()
        inflateInit_(&stream, ZLIB_VERSION, CInt(MemoryLayout<z_stream>.size))
        defer { inflateEnd(&stream) }
        var (input, output) = (input, [UInt8](repeating: 0, count: size + 1))
        let (inputSize, outputSize) = (UInt32(input.count), UInt32(output.count))
        return input.withUnsafeMutableBufferPointer { input in
            let written: Int? = output.withUnsafeMutableBufferPointer { output in
                (stream.next_in, stream.avail_in) = (input.baseAddress, inputSize)
                (stream.next_out, stream.avail_out) = (output.baseAddress, outputSize)
                var result = CZlib.inflate(&stream, Z_FINISH)
                if result == Z_NEED_DICT {
                    inflateSetDictionary(&stream, dictionary, UInt32(dictionary.count))
                    result = CZlib.inflate(&stream, Z_FINISH)
                }
                guard result == Z_STREAM_END, stream.avail_in == 0 else { return nil }
                return Int(stream.total_out)
            }
            return written.map { Array(output.prefix($0)) }
        }
    }
}
