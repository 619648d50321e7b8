// Where the version of each page lies that the last captured commit left.
//
// A page's newest frame up to that commit counts, else the database's file. The file holds nothing
// newer: checkpoints stop at the mark of a reader of ours, which is never behind what was captured.
// A page that was cut off and came back without being written is what SQLite would read there: its
// old frame, or the file's bytes, or zeros past its end.

import Codec
import SQLite

/// Finds and reads the current version of pages.
struct PageVersions {
    private let pageSize: Int
    private var frames: [UInt32: UInt32] = [:]
    /// For each page, versions in a row that lean on the one before; one byte a page.
    private var chains: [UInt8]

    /// - Parameters:
    ///   - newest: pages whose version lies in the log, with its frame.
    ///   - areAlone: whether the versions of now are known to stand alone, as in a complete base.
    init(
        _ newest: [(page: UInt32, frame: UInt32)], pageCount: UInt32, pageSize: Int,
        areAlone: Bool
    ) {
        self.pageSize = pageSize
        chains = Array(
            repeating: areAlone ? 0 : UInt8(PageCoder.chainLimit), count: Int(pageCount))
        for (page, frame) in newest { frames[page] = frame }
    }

    /// Follows a commit; called once all its pages were encoded.
    mutating func apply(_ commit: LoggedCommit) {
        for (page, frame) in commit.pages { frames[page] = frame }
        let missing = Int(commit.pageCount) - chains.count
        if missing > 0 { chains.append(contentsOf: repeatElement(0, count: missing)) }
    }

    /// The log began anew: all it held is in the database's file.
    mutating func forgetFrames() {
        frames.removeAll()
    }

    /// Nothing is known of how many versions before these lean on others.
    mutating func forgetChains() {
        for index in chains.indices { chains[index] = UInt8(PageCoder.chainLimit) }
    }

    /// Whether a page's next version may lean on this one.
    func mayLean(_ page: UInt32) -> Bool {
        Int(page) <= chains.count && Int(chains[Int(page) - 1]) < PageCoder.chainLimit
    }

    mutating func note(_ codec: PageCodec, of page: UInt32) {
        guard Int(page) <= chains.count else { return }
        chains[Int(page) - 1] = codec == .dictionary ? chains[Int(page) - 1] + 1 : 0
    }

    func read(
        _ page: UInt32, from files: (database: PagerFile, log: PagerFile), by tail: LogTail,
        into buffer: UnsafeMutableRawBufferPointer
    ) throws(SQLiteError) {
        if let frame = frames[page] {
            try files.log.read(into: buffer, at: tail.pageOffset(ofFrame: frame))
        } else {
            try files.database.read(into: buffer, at: UInt64(page - 1) * UInt64(pageSize))
        }
    }
}
