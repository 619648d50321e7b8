import Glibc
import Platform

/// The mark of a directory whose content can be made again (bford.info/cachedir).
enum CacheTag {
    static let name = Array("CACHEDIR.TAG".utf8)
    private static let signature = Array("Signature: 8a477f597d28d172789f06886806bc55".utf8)

    /// Whether the tag in a directory is a real one; a name alone is none.
    static func isValid(in directory: borrowing Descriptor) -> Bool {
        do {
            let file = try Descriptor.open(
                name, in: directory, flags: O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
            var head = [UInt8](repeating: 0, count: signature.count)
            let got = try head.withUnsafeMutableBytes { try file.read(into: $0, at: 0) }
            return got == head.count && head == signature
        } catch {
            return false  // what cannot be read is no valid tag, and the directory is backed up
        }
    }
}
