/// Compresses blobs and pages, for one thread.
///
/// States and buffers are made once and reused: most inputs are a few kilobytes.
package final class Compressor {
    /// What ISA-L wants to have free behind the last byte it writes.
    private static let slack = 64

    private enum Engine {
        case isal(FastDeflater)
        case libz(Deflater)
    }

    private let engine: Engine
    private var pages: Deflater?
    private var scratch = ScratchBuffer()

    package init(level: CompressionLevel) {
        switch level {
        case .fast:
            engine = .isal(FastDeflater())
        case .balanced, .max:
            let deflater = Deflater(level: level == .balanced ? 6 : 9)
            engine = .libz(deflater)
            pages = deflater
        }
    }

    /// Appends a zlib stream, or the input as it is where a stream would not save one byte in 32.
    ///
    /// - Parameter input: less than 4 GiB.
    package func compress(
        _ input: UnsafeRawBufferPointer, into output: inout [UInt8]
    ) -> BlobCodec {
        let limit = input.count - (input.count + 31) / 32
        if !IncompressibilityProbe.isHopeless(input) {
            let target = scratch.ofCapacity(limit + Compressor.slack)
            if let size = deflate(input, into: target), size <= limit {
                output.append(contentsOf: target[..<size])
                return .zlib
            }
        }
        output.append(contentsOf: input)
        return .stored
    }

    private func deflate(
        _ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer
    ) -> Int? {
        switch engine {
        case .isal(let deflater): deflater.deflate(input, into: output)
        case .libz(let deflater): deflater.deflate(input, into: output)
        }
    }

    /// Appends a zlib stream with a preset dictionary and returns its size.
    ///
    /// This is libz at every level: what a page gains from its dictionary is 5 to 70 percent less
    /// with ISA-L. `fast` is libz's level 3 here: a third faster than level 6, 3 percent larger.
    ///
    /// - Parameters:
    ///   - input: less than 4 GiB; what is more than 32 KiB from the dictionary gains nothing.
    ///   - dictionary: only the last 32 KiB count; leaning on nothing is a stream without one.
    package func compress(
        _ input: UnsafeRawBufferPointer, dictionary: UnsafeRawBufferPointer,
        into output: inout [UInt8]
    ) -> Int {
        let deflater = pages ?? Deflater(level: 3)
        pages = deflater
        let target = scratch.ofCapacity(Deflater.bound(input.count))
        let tail = PresetDictionary.tail(of: dictionary)
        let written =
            tail.isEmpty
            ? deflater.deflate(input, into: target)
            : deflater.deflate(input, dictionary: tail, into: target)
        guard let size = written else {
            preconditionFailure("a zlib stream larger than its bound")
        }
        output.append(contentsOf: target[..<size])
        return size
    }
}

/// Memory that is kept from call to call.
private struct ScratchBuffer: ~Copyable {
    private var memory = UnsafeMutableRawBufferPointer(start: nil, count: 0)

    /// At least so many bytes of any content; what was given out before is void.
    mutating func ofCapacity(_ capacity: Int) -> UnsafeMutableRawBufferPointer {
        if memory.count < capacity {
            memory.deallocate()
            memory = .allocate(byteCount: capacity + capacity / 4, alignment: 16)
        }
        return UnsafeMutableRawBufferPointer(rebasing: memory[..<capacity])
    }

    deinit {
        memory.deallocate()
    }
}
