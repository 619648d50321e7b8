import CLinux

/// Where chance comes from.
package protocol Randomness: Sendable {
    func fill(_ buffer: UnsafeMutableRawBufferPointer)
}

extension Randomness {
    package func bytes(_ count: Int) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            fill(UnsafeMutableRawBufferPointer(start: buffer.baseAddress, count: count))
            filled = count
        }
    }
}

/// The kernel's generator, fit for keys. Source: getrandom(2).
package struct SystemRandomness: Randomness {
    package init() {}

    /// Ends the process where the kernel gives nothing: there is no safe way on without.
    package func fill(_ buffer: UnsafeMutableRawBufferPointer) {
        var done = 0
        while done < buffer.count {
            let rest = UnsafeMutableRawBufferPointer(rebasing: buffer[done...])
            let count = hold_getrandom(rest.baseAddress, rest.count)
            if count > 0 {
                done += count
            } else if count == 0 || Errno.current != .interrupted {
                fatalError("getrandom: \(Errno.current)")
            }
        }
    }
}
