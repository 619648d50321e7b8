import CLinux
import Glibc

/// The two ends of a pipe. Source: pipe2(2) with O_CLOEXEC.
package struct Pipe: ~Copyable, Sendable {
    package let reading: Descriptor
    package let writing: Descriptor

    package init() throws(SystemError) {
        var ends: (CInt, CInt) = (-1, -1)
        _ = try systemCall("pipe", nil) {
            withUnsafeMutableBytes(of: &ends) {
                hold_pipe2($0.assumingMemoryBound(to: CInt.self).baseAddress, O_CLOEXEC)
            }
        }
        reading = Descriptor(owning: ends.0)
        writing = Descriptor(owning: ends.1)
    }

    /// Gives up the pipe for its reading end; the writing end is closed here.
    package consuming func keepingReading() -> Descriptor { reading }
}
