import Codec
import SQLite

// Of each segment the catalogue keeps a summary, small enough to be read for all segments of a
// stream at once, and a note, which is read for the few segments that matter. Both are opaque
// here. Records are in neither: whoever needs them reads the segment.

/// What the catalogue keeps of a segment.
package struct SegmentRow: Sendable {
    package let name: String
    /// Bytes of the segment; another size means another file.
    package let size: UInt64
    package let stream: [UInt8]
    /// The newest position in the segment.
    package let newest: Position
    package let summary: [UInt8]
    package let note: [UInt8]

    package init(
        name: String, size: UInt64, stream: [UInt8], newest: Position, summary: [UInt8],
        note: [UInt8]
    ) {
        self.name = name
        self.size = size
        self.stream = stream
        self.newest = newest
        self.summary = summary
        self.note = note
    }
}

extension Catalogue {
    /// The size of each segment that is noted, by name.
    package func segmentSizes() throws -> [String: UInt64] {
        try withConnection { connection in
            let select = try connection.prepare("SELECT name, size FROM stream_segments")
            var sizes: [String: UInt64] = [:]
            while try select.step() {
                sizes[select.text(at: 0)] = UInt64(clamping: select.integer(at: 1))
            }
            return sizes
        }
    }

    /// Notes a segment, so that it need not be read again to know what is in it.
    package func note(_ row: SegmentRow) throws {
        try withConnection { connection in
            let insert = try connection.prepare(
                "INSERT INTO stream_segments (name, size, stream, epoch, sequence, summary, note)"
                    + " VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (name) DO UPDATE SET"
                    + " size = excluded.size, stream = excluded.stream, epoch = excluded.epoch,"
                    + " sequence = excluded.sequence, summary = excluded.summary,"
                    + " note = excluded.note")
            insert.bind(row.name, at: 1)
            insert.bind(Int64(clamping: row.size), at: 2)
            insert.bind(row.stream, at: 3)
            insert.bind(Int64(clamping: row.newest.epoch), at: 4)
            insert.bind(Int64(clamping: row.newest.sequence), at: 5)
            insert.bind(row.summary, at: 6)
            insert.bind(row.note, at: 7)
            _ = try insert.step()
        }
    }

    /// Forgets segments that are gone.
    package func removeNotes(of names: [String]) throws {
        guard !names.isEmpty else { return }
        try withConnection { connection in
            try connection.transaction {
                let delete = try connection.prepare("DELETE FROM stream_segments WHERE name = ?")
                for name in names {
                    delete.bind(name, at: 1)
                    _ = try delete.step()
                    delete.reset()
                }
            }
        }
    }

    /// The ids of all streams.
    package func streams() throws -> [[UInt8]] {
        try withConnection { connection in
            let select = try connection.prepare("SELECT DISTINCT stream FROM stream_segments")
            var streams: [[UInt8]] = []
            while try select.step() { streams.append(select.bytes(at: 0)) }
            return streams
        }
    }

    /// The names and notes of the segments that hold a stream's newest position.
    ///
    /// - Parameter left: names of segments to do as if they were not there.
    package func newestNotes(
        of stream: [UInt8], leavingOut left: Set<String> = []
    ) throws -> [(name: String, note: [UInt8])] {
        try withConnection { connection in
            let select = try connection.prepare(
                "SELECT name, note, epoch, sequence FROM stream_segments WHERE stream = ?"
                    + " ORDER BY epoch DESC, sequence DESC")
            select.bind(stream, at: 1)
            var notes: [(name: String, note: [UInt8])] = []
            var newest: [Int64]?
            while try select.step() {
                let position = [select.integer(at: 2), select.integer(at: 3)]
                let name = select.text(at: 0)
                guard !left.contains(name) else { continue }
                guard newest ?? position == position else { break }
                newest = position
                notes.append((name: name, note: select.bytes(at: 1)))
            }
            return notes
        }
    }

    /// The numbers, names and summaries of a stream's segments, by their newest positions.
    package func segmentSummaries(
        of stream: [UInt8]
    ) throws -> [(number: Int64, name: String, summary: [UInt8])] {
        try withConnection { connection in
            let select = try connection.prepare(
                "SELECT number, name, summary FROM stream_segments WHERE stream = ?"
                    + " ORDER BY epoch, sequence, number")
            select.bind(stream, at: 1)
            var summaries: [(number: Int64, name: String, summary: [UInt8])] = []
            while try select.step() {
                summaries.append(
                    (
                        number: select.integer(at: 0), name: select.text(at: 1),
                        summary: select.bytes(at: 2)
                    ))
            }
            return summaries
        }
    }

    /// The note of a segment by its name; nil where there is none.
    package func segmentNote(named name: String) throws -> [UInt8]? {
        try withConnection { connection in
            let select = try connection.prepare(
                "SELECT note FROM stream_segments WHERE name = ?")
            select.bind(name, at: 1)
            return try select.step() ? select.bytes(at: 0) : nil
        }
    }

    /// The name and note of a segment by its number; nil where it is gone.
    package func segment(_ number: Int64) throws -> (name: String, note: [UInt8])? {
        try withConnection { connection in
            let select = try connection.prepare(
                "SELECT name, note FROM stream_segments WHERE number = ?")
            select.bind(number, at: 1)
            guard try select.step() else { return nil }
            return (name: select.text(at: 0), note: select.bytes(at: 1))
        }
    }
}
