import Codec
import Glibc
import Repository

/// Walks a directory of the parent snapshot beside the live one; both are sorted by name.
struct ParentDirectory {
    private let opener: BlobOpener
    private var runs: ArraySlice<BlobReference>
    private var nodes: ArraySlice<Node> = []

    init(_ runs: [BlobReference], opener: BlobOpener) {
        self.runs = runs[...]
        self.opener = opener
    }

    /// The parent's entry of a name; names must be asked for in ascending order.
    ///
    /// A parent that cannot be read is no parent: its files are read again, nothing is lost.
    mutating func node(named name: [UInt8]) -> Node? {
        while true {
            while let node = nodes.first {
                if node.name == name { return node }
                guard node.name.precedes(name) else { return nil }
                nodes.removeFirst()
            }
            guard let run = runs.popFirst() else { return nil }
            do {
                nodes = try TreeRun.decode(opener.read(run.id))[...]
            } catch {
                runs = []
                return nil
            }
        }
    }
}

extension [UInt8] {
    /// Byte order, as directories are sorted.
    func precedes(_ other: [UInt8]) -> Bool {
        withUnsafeBytes { left in
            other.withUnsafeBytes { right in
                let count = Swift.min(left.count, right.count)
                guard count > 0, let first = left.baseAddress, let second = right.baseAddress else {
                    return left.count < right.count
                }
                let order = memcmp(first, second, count)
                return order == 0 ? left.count < right.count : order < 0
            }
        }
    }
}
