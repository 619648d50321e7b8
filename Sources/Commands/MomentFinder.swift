import Backup
import Codec
import Platform
import Repository
import Timeline

/// What was found for one database.
struct MomentFinding {
    enum Outcome {
        case point(RestorePoint)
        /// Nothing is restored; the words say why, and the records are the nearest.
        case refused(reason: String, sentence: String, before: RecordHandle?, after: RecordHandle?)
        /// The moment was there more than once, or the position is that of several records.
        case several([RestorePoint])
    }

    let stream: Timeline.Stream
    var outcome: Outcome

    var point: RestorePoint? {
        if case .point(let point) = outcome { return point }
        return nil
    }
}

/// Finds the states, and the snapshot for the trees, that a moment or a position names.
struct MomentFinder {
    let request: MomentRequest
    let selection: SnapshotSelection
    let repository: Repository
    let snapshots: [StoredSnapshot]
    let index: StreamIndex
    let now: Timestamp
    /// What the watches of the streams in question had sealed before the index was read.
    private let round: WatchRound
    let text: RestorePointText

    init(
        _ request: MomentRequest, _ selection: SnapshotSelection, _ session: Session,
        _ context: CommandContext
    ) throws {
        self.request = request
        self.selection = selection
        repository = session.repository
        snapshots = try session.snapshots(context)
        now = context.clock.now()
        let found = try StreamIndex(of: repository)
        found.tellDamage(context, isOnlySaid: true) {
            request.concerns($0)
                && (request.databases.isEmpty || request.databases.contains($0.path))
        }
        round = try WatchRound(
            asking: request.streams(of: found).filter {
                request.databases.isEmpty || request.databases.contains($0.identity.path)
            }, in: repository, context)
        index = round.covered.isEmpty ? found : try StreamIndex(of: repository)
        text = RestorePointText(zone: context.zone)
    }

    /// The newest snapshot at or before a moment, where trees are asked for.
    func snapshot(at moment: Timestamp) -> StoredSnapshot? {
        guard request.databases.isEmpty else { return nil }
        return snapshots.last { $0.snapshot.time <= moment && selects($0.snapshot) }
    }

    private func selects(_ snapshot: Snapshot) -> Bool {
        selection.selects(snapshot)
            && (request.service.map {
                request.hosts.contains(snapshot.host) && $0.isRecorded(by: snapshot)
            } ?? true)
    }

    /// The first thing that was recorded of what is asked for; nil where there is none.
    func beginning() throws -> (what: String, moment: Timestamp)? {
        var first: (what: String, moment: Timestamp)?
        for stream in streams {
            guard let record = try stream.summaries().map(\.earliest).min() else { continue }
            if first.map({ record < $0.moment }) ?? true { first = ("\(stream.path)", record) }
        }
        guard let snapshot = snapshots.first(where: { selects($0.snapshot) }) else { return first }
        let time = snapshot.snapshot.time
        return first.map { $0.moment <= time } ?? false
            ? first : ("snapshot \(snapshot.shortID)", time)
    }

    /// The streams that are asked for by name; throws where one is unknown or ambiguous.
    func namedStreams() throws -> [Timeline.Stream] {
        try request.databases.map { path in
            let found = streams.filter { $0.identity.path == path }
            guard let stream = found.first else {
                throw CommandError(
                    .failed, "no history is recorded of \(PathText.shown(path))",
                    hint: "see what is recorded with 'holdfast history'")
            }
            guard found.count == 1 else { throw ambiguous(found) }
            return stream
        }
    }

    var streams: [Timeline.Stream] { request.streams(of: index) }

    private func ambiguous(_ streams: [Timeline.Stream]) -> CommandError {
        let hosts = Set(streams.map(\.identity.host)).sorted().joined(separator: ", ")
        return CommandError.usage(
            "several databases are recorded under that path, of the hosts \(hosts)",
            hint: "name one with --host")
    }

    /// The streams a moment concerns: those that were named, else those of the snapshot and what
    /// began to be recorded since, else all of one host.
    func streams(at moment: Timestamp, beside snapshot: StoredSnapshot?) throws -> [Timeline.Stream]
    {
        guard request.databases.isEmpty else { return try namedStreams() }
        guard let snapshot = snapshot?.snapshot else {
            let all = streams
            guard Set(all.map(\.identity.host)).count < 2 else { throw ambiguous(all) }
            return try all.filter { try began($0).map { $0 <= moment } ?? false }
        }
        let inside = Set(snapshot.databases.map(\.reference.stream))
        return try streams.filter { stream in
            guard !inside.contains(stream.identity.stream) else { return true }
            let path = stream.identity.path
            guard stream.identity.host == snapshot.host,
                request.service != nil || snapshot.covers(path), let began = try began(stream),
                began <= moment
            else { return false }
            return began > snapshot.time || request.service?.names(path) ?? false
        }
    }

    private func began(_ stream: Timeline.Stream) throws -> Timestamp? {
        try stream.summaries().map(\.earliest).min()
    }

    /// The history to search: of one branch, or what counted.
    private func history(of stream: Timeline.Stream) throws -> History {
        let history = try History(of: stream)
        guard let name = request.branch else { return history }
        guard let branch = history.branches.first(where: { $0.name == name }) else {
            let names = history.branches.map(\.name).joined(separator: ", ")
            throw CommandError(
                .failed,
                "there is no branch '\(PathText.shown(Array(name.utf8)))' of \(stream.path)",
                hint: "its branches are \(names)")
        }
        return try History(of: stream, branch: branch, among: history.branches)
    }

    /// Until when a history's newest state is known to have been there: until its watch was asked,
    /// or the last backup that found it began.
    private func knownUntil(_ history: History) throws -> Timestamp? {
        guard let last = try history.last.map({ try history.record(at: $0) }) else { return nil }
        let looked = snapshots.last {
            $0.snapshot.databases.contains { $0.reference.chain == last.chain }
        }?.snapshot.began
        guard round.covered.contains(history.stream.identity.stream),
            last.chain == history.stream.end?.chain
        else { return looked }
        return max(looked ?? round.moment, round.moment)
    }

    func find(_ moments: [Timestamp], in stream: Timeline.Stream) throws -> MomentFinding {
        let history = try history(of: stream)
        let search = MomentSearch(in: history, now: now, knownUntil: try knownUntil(history))
        let answers = try moments.map { try search.find($0) }
        let points = answers.flatMap { answer -> [RestorePoint] in
            switch answer {
            case .point(let point): [point]
            case .several(let points): points
            case .between(let before, let after, _):
                [before, after].compactMap { $0.map { RestorePoint($0, next: nil) } }
            }
        }
        if answers.count > 1, !points.allSatisfy({ $0.record.chain == points[0].record.chain }) {
            var seen: Set<Digest> = []
            let several = points.filter { seen.insert($0.record.chain).inserted }
            return MomentFinding(stream: stream, outcome: .several(several))
        }
        // Of the same state twice it is certain only where it is so both times.
        let answer = answers.first { !$0.isCertain } ?? answers[0]
        return MomentFinding(stream: stream, outcome: outcome(answer))
    }

    private func outcome(_ answer: MomentAnswer) -> MomentFinding.Outcome {
        switch answer {
        case .point(let point): return .point(point)
        case .several(let points): return .several(points)
        case .between(let before, let after, let doubt):
            return .refused(
                reason: doubt.rawValue, sentence: sentence(doubt, after), before: before,
                after: after)
        }
    }

    private func sentence(_ doubt: Doubt, _ after: RecordHandle?) -> String {
        switch doubt {
        case .beforeHistory: "nothing was recorded yet at that moment"
        case .afterHistory:
            "what is recorded ends before that moment; what was committed since, nobody can say"
        case .future: "that moment is yet to come"
        case .gap: "that moment lies in a gap, in which commits were not recorded one by one"
        case .unseen:
            "the next recorded state came to be before or after that moment; nobody looked between "
                + (after.map { text.time($0.record.notBefore) } ?? "the two") + " and then"
        case .missing: "records around that moment are missing in the repository"
        case .forgotten:
            "the state of that moment was forgotten: it lies outside the window, and no snapshot"
                + " names it"
        }
    }

    /// The state at a position.
    func find(_ position: Position, in stream: Timeline.Stream) throws -> MomentFinding {
        let history = try history(of: stream)
        var found = try stream.records(at: position)
        if request.branch != nil {
            found = try found.filter { try history.place(of: $0) != nil }
        }
        guard let record = found.first else { throw noPosition(position, stream, history) }
        let points = try found.map { record in
            guard let place = try history.place(of: record) else {
                return RestorePoint(record, next: nil)
            }
            return try MomentSearch(in: history, now: now).point(at: place)
        }
        guard points.count == 1 else {
            return MomentFinding(stream: stream, outcome: .several(points))
        }
        guard record.record.kind != .gap else {
            return MomentFinding(
                stream: stream,
                outcome: .refused(
                    reason: Doubt.gap.rawValue, sentence: "\(position) is a gap and has no state",
                    before: try stream.state(before: record), after: points[0].next))
        }
        guard try stream.isRestorable(record) else {
            return MomentFinding(stream: stream, outcome: try lost(record, history))
        }
        return MomentFinding(stream: stream, outcome: .point(points[0]))
    }

    private func lost(
        _ record: RecordHandle, _ history: History
    ) throws -> MomentFinding.Outcome {
        let doubt = history.why(isNotRestorable: record)
        let sides = try history.place(of: record).map {
            try MomentSearch(in: history, now: now).neighbours(of: $0)
        }
        return .refused(
            reason: doubt.rawValue,
            sentence: doubt == .forgotten
                ? "\(record.position) was forgotten: it lies outside the window, and no snapshot"
                    + " names it"
                : "records that lead to \(record.position) are missing in the repository",
            before: sides?.before, after: sides?.after)
    }

    private func noPosition(
        _ position: Position, _ stream: Timeline.Stream, _ history: History
    ) -> CommandError {
        let isWithin = stream.end.map { position.sequence < $0.position.sequence } ?? false
        guard !(isWithin && history.hasHole), !history.mayEndLater else {
            return CommandError(
                .failed,
                "\(position) is missing in the history of \(stream.path): a segment is gone, or"
                    + " cannot be read",
                hint: "run 'holdfast verify'; see what is left with 'holdfast history"
                    + " \(stream.path)'")
        }
        let ends = history.runs.first.map { "\($0.summary.first)" } ?? "none"
        let last = stream.end.map { "\($0.position)" } ?? "none"
        return CommandError(
            .failed, "there is no position \(position) in the history of \(stream.path)",
            hint: "it reaches from \(ends) to \(last); see 'holdfast history \(stream.path)'")
    }

    /// The nearest moment, at most a minute before, at which one look saw all databases at rest.
    func cut(before moment: Timestamp, of streams: [Timeline.Stream]) throws -> Timestamp? {
        let from = moment.adding(nanoseconds: -60_000_000_000)
        var cut: Timestamp?
        for stream in streams {
            try history(of: stream).forEachNewestFirst(from: from, to: moment) { handle, _ in
                guard handle.record.isCut else { return true }
                cut = max(cut ?? from, handle.record.seen.wall)
                return false
            }
        }
        return cut
    }
}

extension Snapshot {
    /// Whether a path lies in what was backed up.
    fileprivate func covers(_ path: [UInt8]) -> Bool {
        paths.contains { root in
            root == Array("/".utf8) || path == root
                || (path.starts(with: root) && path[root.count] == UInt8(ascii: "/"))
        }
    }
}

extension StreamIndex {
    /// Tells of the segments that cannot be read and belong to databases of interest, and of those
    /// of which nobody knows to what they belong.
    ///
    /// - Parameter isOnlySaid: whether what is asked for is done without them, or refused.
    func tellDamage(
        _ context: CommandContext, isOnlySaid: Bool, of isConcerned: (StreamIdentity) -> Bool
    ) {
        for segment in damaged {
            guard let identity = segment.identity else {
                context.report.warning(
                    "\(segment.reason); which database it belongs to is not known",
                    during: "reading \(segment.name)", isOnlySaid: true)
                continue
            }
            guard isConcerned(identity) else { continue }
            context.report.warning(
                "\(segment.reason); what it held is missing from its history",
                during: "reading \(segment.name)", item: identity.path, isOnlySaid: isOnlySaid)
        }
    }
}
