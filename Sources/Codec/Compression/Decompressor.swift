import CISAL
import Glibc

/// Reads zlib streams (RFC 1950) from bytes nobody vouches for, with ISA-L, for one thread.
///
/// A stream is accepted where it is all of the input, its checksum fits and it fills the output;
/// where one is refused, the output's content is unspecified. Adler-32 misses a change in a
/// million, so that callers prove what they read by its id or hash.
package final class Decompressor {
    private let state: UnsafeMutableRawPointer

    package init() {
        guard let state = holdfast_isal_inflater_create() else { fatalError("out of memory") }
        self.state = state
    }

    deinit {
        free(state)
    }

    /// Decompresses a stream without preset dictionary.
    ///
    /// - Parameter output: of exactly the size that was compressed.
    package func decompress(
        _ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer
    ) throws(FormatError) {
        try check(input, output)
        let isComplete = holdfast_isal_inflate(
            state, input.baseAddress, UInt32(input.count), output.baseAddress,
            UInt32(output.count))
        guard isComplete != 0 else { throw Decompressor.refusal }
    }

    /// Decompresses a stream with a preset dictionary.
    ///
    /// - Parameters:
    ///   - dictionary: what it was compressed with; only the last 32 KiB count.
    ///   - output: of exactly the size that was compressed.
    package func decompress(
        _ input: UnsafeRawBufferPointer, dictionary: UnsafeRawBufferPointer,
        into output: UnsafeMutableRawBufferPointer
    ) throws(FormatError) {
        guard !dictionary.isEmpty else { return try decompress(input, into: output) }
        try check(input, output)
        let tail = PresetDictionary.tail(of: dictionary)
        guard PresetDictionary.isNamed(tail, by: input) else {
            throw FormatError("compressed bytes that lean on another version")
        }
        let stream = UnsafeRawBufferPointer(rebasing: input[PresetDictionary.headerSize...])
        let isComplete = holdfast_isal_inflate_after_header(
            state, stream.baseAddress, UInt32(stream.count), tail.baseAddress,
            UInt32(tail.count), output.baseAddress, UInt32(output.count))
        guard isComplete != 0 else { throw Decompressor.refusal }
    }

    private static var refusal: FormatError {
        FormatError("compressed bytes that are damaged or of another size")
    }

    private func check(
        _ input: UnsafeRawBufferPointer, _ output: UnsafeMutableRawBufferPointer
    ) throws(FormatError) {
        guard input.count <= Int(UInt32.max), output.count <= Int(UInt32.max) else {
            throw FormatError("compressed bytes of an impossible length")
        }
    }
}
