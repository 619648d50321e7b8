// A recorded state that a restore puts back over a database whose history goes on. What is then in
// the database is that state but for the schema cookie on page 1, which SQLite counts up so that
// whoever has the database open reads the schema again (SchemaCookie.swift). So the state is told
// by its root, once the database's page 1 is exchanged for the recorded one.

import Codec
package import Repository

/// A state as it is known again in the database it was put back into.
struct PutBackState {
    let handle: RecordHandle
    /// What the recorded page 1 adds to the recorded root.
    let firstPage: Digest

    var record: Record { handle.record }

    /// Whether a database with this root and page 1 is in the state.
    func isIn(_ root: StateRoot, firstPage now: Digest, pageCount: UInt32, pageSize: Int) -> Bool {
        guard record.pageCount == pageCount, record.pageSize == pageSize else { return false }
        var root = root
        root.subtract(now)
        root.add(firstPage)
        return root.digest == record.stateRoot
    }

    /// The record that begins an epoch at the state, behind the newest one that is recorded.
    func epoch(after newest: UInt64, seen: Record.Moment) -> Record {
        record.beginning(epoch: newest + 1, behind: handle.chain, cause: .restored, seen: seen)
    }
}

/// What a restore says of a state that it puts back.
package struct Restoration: Sendable {
    /// The state, which the repository has.
    let state: DatabaseReference
    /// What its page 1 adds to its root.
    let firstPage: Digest

    /// - Parameter first: page 1 of the state.
    package init(of state: DatabaseReference, firstPage first: [UInt8]) {
        self.state = state
        firstPage = first.withUnsafeBytes {
            PageHash.rootContribution(ofFirst: $0, with: Hasher256())
        }
    }

    func encode(into writer: inout ByteWriter) {
        writer.write(bytes: state.stream)
        writer.write(varint: state.position.epoch)
        writer.write(varint: state.position.sequence)
        writer.write(digest: state.chain)
        writer.write(digest: firstPage)
    }

    init(from reader: inout ByteReader) throws(FormatError) {
        let stream = try reader.bytes(16)
        let position = Position(epoch: try reader.varint(), sequence: try reader.varint())
        state = DatabaseReference(
            stream: stream, position: position, chain: try reader.digest(), fingerprint: [])
        firstPage = try reader.digest()
    }
}

/// What the lease says under which a restore puts a state back: should it die between the database
/// and the record of it, whoever writes the stream next knows what to look for.
struct RestorePurpose {
    private static let words = "restore of "
    private static let chainDigits = 16

    let position: Position
    private let chain: Substring

    static func text(_ state: DatabaseReference) -> String {
        "\(words)\(state.position)-\(state.chain.hex.prefix(chainDigits))"
    }

    /// Nil for another purpose.
    init?(_ purpose: String) {
        guard purpose.hasPrefix(RestorePurpose.words) else { return nil }
        let parts = purpose.dropFirst(RestorePurpose.words.count).split { $0 == "/" || $0 == "-" }
        guard parts.count == 3, let epoch = UInt64(parts[0]), let sequence = UInt64(parts[1]),
            parts[2].count == RestorePurpose.chainDigits
        else { return nil }
        position = Position(epoch: epoch, sequence: sequence)
        chain = parts[2]
    }

    /// Nil where the stream does not have the state any more.
    func state(in stream: Stream, _ repository: Repository) throws -> PutBackState? {
        guard
            let handle = try stream.records(at: position).first(where: {
                $0.chain.hex.hasPrefix(chain)
            })
        else { return nil }
        return PutBackState(
            handle: handle,
            firstPage: try DatabaseRecovery(from: repository).firstPageContribution(
                of: handle.reference(in: stream.identity.stream)))
    }
}
