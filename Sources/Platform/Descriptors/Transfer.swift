import Glibc

// Reads and writes that go on where the system stops early, whatever the reason.
extension Descriptor {
    /// Reads until the buffer is full or the end is met, from a file or a pipe.
    ///
    /// Returns the bytes read, fewer than asked for only at the end. Source: read(2).
    package func read(into buffer: UnsafeMutableRawBufferPointer) throws(SystemError) -> Int {
        try fill(buffer) { (rest, _) throws(SystemError) in
            try systemCall("read", path) { Glibc.read(raw, rest.baseAddress, rest.count) }
        }
    }

    /// Reads what is there, waiting only while nothing is; 0 at the end. Source: read(2).
    package func readAvailable(
        into buffer: UnsafeMutableRawBufferPointer
    ) throws(SystemError) -> Int {
        try systemCall("read", path) { Glibc.read(raw, buffer.baseAddress, buffer.count) }
    }

    /// Reads at an offset; fewer bytes than asked for only at the end. Source: pread(2).
    package func read(
        into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64
    ) throws(SystemError) -> Int {
        try fill(buffer) { (rest, done) throws(SystemError) in
            let position = Descriptor.position(offset, done)
            return try systemCall("read", path) {
                pread(raw, rest.baseAddress, rest.count, position)
            }
        }
    }

    /// Reads the whole rest, which may be `limit` bytes long; throws EFBIG where it is longer.
    package func readAll(limit: Int) throws(SystemError) -> [UInt8] {
        var bytes: [UInt8] = []
        while true {
            let count = try withUnsafeTemporaryAllocation(byteCount: 16384, alignment: 1) {
                (buffer: UnsafeMutableRawBufferPointer) throws(SystemError) -> Int in
                let count = try read(into: buffer)
                bytes.append(contentsOf: buffer[..<count])
                return count
            }
            guard bytes.count <= limit else { throw SystemError("read", path, .fileTooLarge) }
            if count < 16384 { return bytes }
        }
    }

    /// The bytes of a small file; throws EFBIG where it is longer than `limit` bytes.
    package static func contents(
        of path: FilePath, limit: Int
    ) throws(SystemError) -> [UInt8] {
        try open(path, flags: O_RDONLY).readAll(limit: limit)
    }

    /// Writes all bytes at the current position. Source: write(2).
    package func write(_ bytes: UnsafeRawBufferPointer) throws(SystemError) {
        try drain(bytes) { (rest, _) throws(SystemError) in
            try systemCall("write", path) { Glibc.write(raw, rest.baseAddress, rest.count) }
        }
    }

    /// Writes all bytes at an offset. Source: pwrite(2).
    package func write(
        _ bytes: UnsafeRawBufferPointer, at offset: UInt64
    ) throws(SystemError) {
        try drain(bytes) { (rest, done) throws(SystemError) in
            let position = Descriptor.position(offset, done)
            return try systemCall("write", path) {
                pwrite(raw, rest.baseAddress, rest.count, position)
            }
        }
    }

    /// Writes all bytes at an offset of a descriptor that somebody else owns. Source: pwrite(2).
    package static func write(
        _ bytes: UnsafeRawBufferPointer, to raw: CInt, at offset: UInt64, path: FilePath?
    ) throws(SystemError) {
        let borrowed = Descriptor(owning: raw, path: path)
        do {
            try borrowed.write(bytes, at: offset)
        } catch {
            _ = borrowed.release()
            throw error
        }
        _ = borrowed.release()
    }

    private static func position(_ offset: UInt64, _ done: Int) -> off_t {
        let (sum, overflow) = offset.addingReportingOverflow(UInt64(done))
        return overflow ? .max : off_t(clamping: sum)
    }

    private func fill(
        _ buffer: UnsafeMutableRawBufferPointer,
        _ step: (UnsafeMutableRawBufferPointer, Int) throws(SystemError) -> Int
    ) throws(SystemError) -> Int {
        var done = 0
        while done < buffer.count {
            let count = try step(UnsafeMutableRawBufferPointer(rebasing: buffer[done...]), done)
            if count == 0 { break }
            done += count
        }
        return done
    }

    private func drain(
        _ bytes: UnsafeRawBufferPointer,
        _ step: (UnsafeRawBufferPointer, Int) throws(SystemError) -> Int
    ) throws(SystemError) {
        var done = 0
        while done < bytes.count {
            let count = try step(UnsafeRawBufferPointer(rebasing: bytes[done...]), done)
            // A device that takes nothing and reports nothing would keep this loop forever.
            guard count > 0 else { throw SystemError("write", path, .inputOutput) }
            done += count
        }
    }
}
