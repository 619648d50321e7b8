// How a restore asks the watch that records a database for a new epoch, over the socket on which
// the watch answers backups (BarrierExchange.swift):
//
//     restore → watch: 0 · path (counted) · state as `Restoration` has it
//     watch → restore: 0, it expects the state now; or 1 or 2 and the reason
//     … the restore writes over the database, in one transaction …
//     restore → watch: 1
//     watch → restore: 0, the database's state as a snapshot names it; or 1 or 2 and the reason
//
// The commit that puts the state back is the first one after which the database is in it; with it
// the epoch begins, and what others commit before and after it is recorded by itself. Who asked and
// has gone without a word has put nothing back, or did so just now: the watch looks once more.

import Codec
import Platform
import Repository

/// The restore's side.
final class RestoreExchange {
    static let mark: UInt8 = 0
    static let done: [UInt8] = [1]
    /// Seconds to wait for an answer: the watch may have to seal what it has.
    private static let patienceSeconds = 120
    private static let answerLimit = 1 << 17

    private let socket: LocalSocket

    /// Why a watch does not begin an epoch.
    struct Refused: Error {
        let reason: String
        /// Whether it does not record the database, or ends.
        let isNotWatched: Bool
    }

    /// Nil where the lease's holder is no watch of this host that answers.
    static func begun(
        with lease: LeaseID, heldBy record: LeaseRecord, for path: FilePath,
        _ restoration: Restoration
    ) throws -> RestoreExchange? {
        guard record.purpose == "watch" else { return nil }
        let socket: LocalSocket
        do {
            socket = try LocalSocket.connected(to: BarrierExchange.name(lease))
        } catch {
            return nil  // of another host, or just ending
        }
        guard try socket.peer().process == record.process.pid else { return nil }
        return try RestoreExchange(socket, path, restoration)
    }

    private init(
        _ socket: consuming LocalSocket, _ path: FilePath, _ restoration: Restoration
    ) throws {
        self.socket = socket
        try self.socket.limitWaits(seconds: RestoreExchange.patienceSeconds)
        var writer = ByteWriter()
        writer.write(u8: RestoreExchange.mark)
        writer.write(counted: path.bytes)
        restoration.encode(into: &writer)
        try self.socket.send(writer.bytes)
        let reader = try answer()
        try reader.finish()
    }

    /// Says that the state was put back; answers what the watch has recorded by then.
    func finish() throws -> Snapshot.Database {
        try socket.send(RestoreExchange.done)
        var reader = try answer()
        let database = try Snapshot.Database(from: &reader)
        try reader.finish()
        return database
    }

    private func answer() throws -> ByteReader {
        var reader = ByteReader(try socket.receive(limit: RestoreExchange.answerLimit))
        let code = try reader.u8()
        guard code != 0 else { return reader }
        let reason = String(decoding: try reader.counted(limit: 4096), as: UTF8.self)
        throw Refused(reason: reason, isNotWatched: code == 2)
    }
}

/// The watch's side: one restore, from its question to its end; on a thread of its own.
final class RestoreTalk: Sendable {
    private let socket: LocalSocket
    private let path: FilePath
    private let restoration: Restoration
    private let wake: Wake

    init(_ socket: consuming LocalSocket, _ question: [UInt8], _ wake: Wake) throws {
        self.wake = wake
        var reader = ByteReader(Array(question.dropFirst()))
        path = FilePath(bytes: try reader.counted(limit: 1 << 16))
        restoration = try Restoration(from: &reader)
        try reader.finish()
        self.socket = socket
    }

    func run() {
        do {
            try talk()
        } catch {
            return  // who asked has gone, or reads the reason
        }
    }

    private func talk() throws {
        try answer { [restoration] database in
            try database.expect(restoration)
            return nil
        }
        do {
            // The restore takes its time.
            try socket.limitWaits(seconds: 0)
            _ = try socket.receive(limit: RestoreExchange.done.count)
        } catch {
            _ = try wake.ask(path) { database in
                database.giveUpExpecting()
                return nil
            }
            throw error
        }
        try answer { [restoration] in try $0.conclude(restoration) }
    }

    private func answer(
        _ work: @escaping @Sendable (WatchedDatabase) throws -> Snapshot.Database?
    ) throws {
        var writer = ByteWriter()
        do {
            let database = try wake.ask(path, work)
            writer.write(u8: 0)
            database?.encode(into: &writer)
        } catch {
            writer.write(refusal: error)
            try socket.send(writer.bytes)
            throw error
        }
        try socket.send(writer.bytes)
    }
}
