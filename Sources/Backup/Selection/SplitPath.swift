/// A path and where its components lie; split once for all patterns.
struct SplitPath {
    private let bytes: [UInt8]
    private let names: [Range<Int>]

    /// Splits at slashes; empty components do not count.
    init(_ bytes: [UInt8]) {
        self.bytes = bytes
        var names: [Range<Int>] = []
        var start = 0
        for position in 0...bytes.count
        where position == bytes.count || bytes[position] == UInt8(ascii: "/") {
            if position > start { names.append(start..<position) }
            start = position + 1
        }
        self.names = names
    }

    /// Calls with the last component; nil for the root.
    func withLastName<Result>(_ body: (UnsafeBufferPointer<UInt8>?) -> Result) -> Result {
        bytes.withUnsafeBufferPointer { buffer in
            body(names.last.map { UnsafeBufferPointer(rebasing: buffer[$0]) })
        }
    }

    /// Calls with each component in order, and whether it is the last.
    func forEachName(_ body: (UnsafeBufferPointer<UInt8>, _ isLast: Bool) -> Void) {
        bytes.withUnsafeBufferPointer { buffer in
            for (position, range) in names.enumerated() {
                body(UnsafeBufferPointer(rebasing: buffer[range]), position == names.count - 1)
            }
        }
    }
}
