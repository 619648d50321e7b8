import Glibc
import Platform

/// A file that says by being there: what lies beside me need not be backed up.
struct DirectoryMark {
    let name: [UInt8]
    /// What the file begins with; empty where its name says enough.
    private let header: [UInt8]

    /// The mark of a directory whose content can be made again (bford.info/cachedir).
    static let cache = DirectoryMark(
        Array("CACHEDIR.TAG:Signature: 8a477f597d28d172789f06886806bc55".utf8))

    /// - Parameter text: `NAME`, or `NAME:HEADER`.
    init(_ text: [UInt8]) {
        let colon = text.firstIndex(of: UInt8(ascii: ":")) ?? text.endIndex
        name = Array(text[..<colon])
        header = Array(text[colon...].dropFirst())
    }

    /// Whether a directory with these names bears the mark.
    func isPresent(among names: [[UInt8]], in directory: borrowing Descriptor) -> Bool {
        guard names.contains(name) else { return false }
        return header.isEmpty || beginsWithHeader(in: directory)
    }

    private func beginsWithHeader(in directory: borrowing Descriptor) -> Bool {
        do {
            let file = try Descriptor.open(
                name, in: directory, flags: O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
            var head = [UInt8](repeating: 0, count: header.count)
            let got = try head.withUnsafeMutableBytes { try file.read(into: $0, at: 0) }
            return got == head.count && head == header
        } catch {
            return false  // what cannot be read is no mark, and the directory is backed up
        }
    }
}
