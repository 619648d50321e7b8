import CISAL
import Glibc

/// ISA-L's deflate, level 2, in zlib format; one stream a call.
final class FastDeflater {
    private let state: UnsafeMutableRawPointer

    init() {
        guard let state = holdfast_isal_deflater_create() else { fatalError("out of memory") }
        self.state = state
    }

    deinit {
        free(state)
    }

    /// Returns the bytes written, or nil where the stream does not fit `output`.
    func deflate(
        _ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer
    ) -> Int? {
        precondition(input.count <= Int(UInt32.max))
        let size = holdfast_isal_deflate(
            state, input.baseAddress, UInt32(input.count), output.baseAddress,
            UInt32(clamping: output.count))
        return size > 0 ? Int(size) : nil
    }
}
