import Codec

/// Gives out a file's pieces in order and holds no more of their lists than one of each level.
package struct PieceSequence {
    private let opener: BlobOpener
    /// What is left of each list on the way to the next piece, the file's own first.
    private var lists: [(level: Int, rest: ArraySlice<PieceList.Entry>)]

    package init(_ list: PieceList, from opener: BlobOpener) {
        self.opener = opener
        lists = [(list.level, list.entries[...])]
    }

    /// The next piece, nil at the end; throws `damaged` where a list cannot be read.
    package mutating func next() throws -> BlobReference? {
        while let (level, rest) = lists.last {
            guard let entry = rest.first else {
                lists.removeLast()
                continue
            }
            lists[lists.count - 1].rest.removeFirst()
            guard level > 0 else { return entry.blob }
            let list = try opener.list(entry, level: level - 1)
            lists.append((list.level, list.entries[...]))
        }
        return nil
    }
}

extension BlobOpener {
    /// The list that an entry of the level above names, held against what that entry says.
    package func list(_ entry: PieceList.Entry, level: Int) throws -> PieceList {
        let bytes = try read(entry.blob.id)
        do {
            let list = try PieceList(decoding: bytes, level: level)
            guard bytes.count == entry.blob.size, list.bytes == entry.bytes else {
                throw FormatError("it stands for another size than the list above says")
            }
            return list
        } catch let error as FormatError {
            throw RepositoryError(
                .damaged, "list of pieces \(entry.blob.id): \(error)",
                hint: "Run 'holdfast verify' to see what is hurt.")
        }
    }
}
