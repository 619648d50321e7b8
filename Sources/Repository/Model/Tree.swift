// A directory's entries, sorted by name (bytes), cut into runs of at most about 1 MiB so that a
// directory of a million files needs no more memory than a small one. A run's bytes:
//
//     version u8 · number of nodes (varint) · nodes (see NodeCoding.swift)
//
// The version is 2 where a node is a file whose pieces are in lists (see PieceList.swift), else 1,
// so that readers which know no lists read all directories that have none.
//
// Runs end where a name's hash says so, hence one new file in a large directory changes one run.

package import Codec

/// Encodes and decodes runs of directory entries.
package enum TreeRun {
    /// The most nodes a run may claim.
    static let nodeLimit = 1 << 20

    /// Nodes of a run; throws where bytes are wrong or names are not in ascending order.
    package static func decode(_ bytes: [UInt8]) throws(FormatError) -> [Node] {
        var reader = ByteReader(bytes)
        let version = try reader.u8()
        guard version == 1 || version == 2 else {
            throw FormatError("directory of an unknown version")
        }
        let count = try reader.count(limit: nodeLimit, elementSize: 16)
        var nodes: [Node] = []
        nodes.reserveCapacity(count)
        for _ in 0..<count {
            let node = try Node(from: &reader)
            if let last = nodes.last, !last.name.lexicographicallyPrecedes(node.name) {
                throw FormatError("names of a directory out of order")
            }
            nodes.append(node)
        }
        try reader.finish()
        guard nodes.contains(where: \.isListed) == (version == 2) else {
            throw FormatError("the version of a directory does not fit what is in it")
        }
        return nodes
    }
}

/// Collects a directory's nodes, in ascending order of names, into runs.
package struct TreeRunWriter {
    private var body = ByteWriter()
    private var count = 0
    private var hasLists = false

    private static let smallest = 32 << 10
    private static let largest = 1 << 20

    package init() {}

    /// Adds a node; returns a finished run's bytes where one ends here.
    package mutating func append(_ node: Node) -> [UInt8]? {
        node.encode(into: &body)
        count += 1
        hasLists = hasLists || node.isListed
        guard body.bytes.count >= TreeRunWriter.smallest else { return nil }
        // A run ends after one name in 32, or when it is full.
        guard body.bytes.count >= TreeRunWriter.largest || TreeRunWriter.isLast(node.name) else {
            return nil
        }
        return take()
    }

    /// The last run, or nil where nothing is left.
    package mutating func finish() -> [UInt8]? {
        count == 0 ? nil : take()
    }

    private mutating func take() -> [UInt8] {
        var run = ByteWriter(capacity: body.bytes.count + 8)
        run.write(u8: hasLists ? 2 : 1)
        run.write(varint: UInt64(count))
        run.write(bytes: body.bytes)
        body = ByteWriter()
        count = 0
        hasLists = false
        return run.bytes
    }

    private static func isLast(_ name: [UInt8]) -> Bool {
        var hash: UInt32 = 2_166_136_261  // FNV-1a: only spread matters here
        for byte in name { hash = (hash ^ UInt32(byte)) &* 16_777_619 }
        return hash & 31 == 0
    }
}
