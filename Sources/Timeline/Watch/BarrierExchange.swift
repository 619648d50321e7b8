// How a backup asks a watch of the same host for a barrier, over an abstract socket named after the
// watch's lease:
//
//     backup → watch: path of the database
//     watch → backup: 0, the database's state as a snapshot names it; or 1 and the reason
//
// A restore asks by the same socket for a new epoch (RestoreExchange.swift). Its question begins
// with a zero byte, with which no path begins.
//
// Both sides ask the kernel who the other is: the watch answers its own user and root, the backup
// believes the process that the lease names. Every wait and every length is bounded.

import Codec
import Glibc
package import Platform
package import Repository

/// The watch's side: answers each question on the capture thread's next turn.
package final class BarrierListener: Sendable {
    private static let questionLimit = 1 << 16

    private let socket: LocalSocket
    private let wake: Wake

    package init(of lease: LeaseID, wake: Wake) throws(SystemError) {
        socket = try LocalSocket.listening(at: BarrierExchange.name(lease))
        self.wake = wake
    }

    /// Serves until ``end()``, one question at a time; on a thread of its own.
    package func serve() {
        while let peer = try? socket.accepted() {
            do {
                try answer(peer)
            } catch {
                // Who asked has gone; the next one comes anew.
                continue
            }
        }
    }

    package func end() {
        socket.shutDown()
    }

    private func answer(_ peer: consuming LocalSocket) throws {
        let user = try peer.peer().user
        guard user == 0 || user == geteuid() else { return }
        try peer.limitWaits(seconds: 10)
        let question = try peer.receive(limit: BarrierListener.questionLimit)
        if question.first == RestoreExchange.mark {
            let talk = try RestoreTalk(peer, question, wake)
            // It lasts as long as the restore, and ends with it.
            _ = WorkerThread(name: "restore") { talk.run() }
            return
        }
        var writer = ByteWriter()
        do {
            let database = try wake.ask(FilePath(bytes: question)) { try $0.barrier() }
            writer.write(u8: 0)
            database?.encode(into: &writer)
        } catch {
            writer.write(refusal: error)
        }
        try peer.send(writer.bytes)
    }
}

extension ByteWriter {
    /// Why a question is not answered: 2 where the database is none of the watch's, else 1.
    mutating func write(refusal error: any Error) {
        write(u8: error is Wake.NotWatched ? 2 : 1)
        write(counted: Array("\(error)".utf8.prefix(4096)))
    }
}

/// The backup's side.
enum BarrierExchange {
    /// Seconds to wait for an answer: the watch may have to seal what it has.
    private static let patienceSeconds = 120
    private static let answerLimit = 1 << 17

    static func name(_ lease: LeaseID) -> String { "holdfast-watch-\(lease)" }

    /// The state that covers every commit made before the call, sealed in the repository; nil
    /// where the lease's holder is no watch that can be asked.
    static func ask(
        _ lease: LeaseID, heldBy record: LeaseRecord, for path: FilePath
    ) throws -> Snapshot.Database? {
        guard record.purpose == "watch" else { return nil }
        let socket: LocalSocket
        do {
            socket = try LocalSocket.connected(to: name(lease))
        } catch {
            return nil  // of another host, or just ending
        }
        guard try socket.peer().process == record.process.pid else { return nil }
        try socket.limitWaits(seconds: patienceSeconds)
        try socket.send(path.bytes)
        var reader = ByteReader(try socket.receive(limit: answerLimit))
        guard try reader.u8() == 0 else {
            let reason = String(decoding: try reader.counted(limit: 4096), as: UTF8.self)
            throw CaptureError(.locked, path, "holdfast watch answers: \(reason)")
        }
        let database = try Snapshot.Database(from: &reader)
        try reader.finish()
        return database
    }
}

/// What came of asking the watch that records a stream to seal what its journal has.
package enum WatchAnswer: Sendable {
    /// The repository has everything that was committed before the question.
    case sealed
    /// It does not answer, or cannot seal: its journal may have commits that the repository lacks.
    case silent(reason: String)
}

extension Stream {
    /// Asks the watch that records the stream, or died recording it; nil where there is none.
    package func askWatch(in repository: Repository) throws -> WatchAnswer? {
        let subject = StreamClaim.subject(host: identity.host, path: identity.path, in: repository)
        guard let holder = try StreamClaim.holder(of: subject, in: repository),
            holder.record.purpose == "watch"
        else { return nil }
        do {
            let answer = try BarrierExchange.ask(holder.lease, heldBy: holder.record, for: path)
            return answer == nil ? .silent(reason: "\(holder.record.holder) is not there") : .sealed
        } catch let error as CaptureError {
            return .silent(reason: error.reason)
        } catch let error where error is SystemError || error is FormatError {
            return .silent(reason: "\(holder.record.holder) does not answer: \(error)")
        }
    }
}
