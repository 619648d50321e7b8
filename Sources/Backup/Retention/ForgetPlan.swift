import Codec
package import Platform
package import Repository
import Timeline

/// By what snapshots are put together before a policy judges them.
package enum GroupingKey: String, CaseIterable, Sendable {
    case host, paths, tags
}

/// Snapshots that a policy judges together.
package struct SnapshotGroup: Sendable {
    /// A snapshot and why it stays; without a reason it goes.
    package struct Member: Sendable {
        package let snapshot: StoredSnapshot
        package let reasons: [String]
    }

    /// What its snapshots share; nil where they are not grouped by it.
    package let host: String?
    package let paths: [[UInt8]]?
    package let tags: [String]?
    /// Newest first.
    package let members: [Member]
}

/// Which snapshots go, and why the others stay.
package struct ForgetPlan: Sendable {
    package let groups: [SnapshotGroup]

    /// Judges snapshots by a policy.
    package init(
        _ snapshots: [StoredSnapshot], by policy: RetentionPolicy, grouping: Set<GroupingKey>,
        offset: @escaping (Int64) -> Int64
    ) {
        let grouped = Dictionary(grouping: snapshots) { GroupName($0.snapshot, grouping) }
        groups = grouped.sorted { $0.key < $1.key }.map { name, snapshots in
            let reasons = policy.reasons(
                snapshots.map {
                    RetentionCandidate(time: $0.snapshot.time, tags: $0.snapshot.tags)
                }, offset: offset)
            let members = zip(snapshots, reasons).map {
                SnapshotGroup.Member(snapshot: $0, reasons: $1)
            }
            return SnapshotGroup(
                host: name.host, paths: name.paths, tags: name.tags,
                members: members.sorted {
                    ($1.snapshot.snapshot.time, $1.snapshot.id)
                        < ($0.snapshot.snapshot.time, $0.snapshot.id)
                })
        }
    }

    /// The snapshots that go, oldest first in each group.
    package var removed: [StoredSnapshot] {
        groups.flatMap { group in
            group.members.filter(\.reasons.isEmpty).map(\.snapshot).reversed()
        }
    }

    package var kept: [StoredSnapshot] {
        groups.flatMap { $0.members.filter { !$0.reasons.isEmpty }.map(\.snapshot) }
    }

    /// Refuses where a clock that had jumped ahead makes snapshots look older than they are.
    ///
    /// - Parameter now: the clock of whoever asks.
    package static func requireBelievableTimes(
        _ snapshots: [StoredSnapshot], now: Timestamp
    ) throws {
        for (host, own) in Dictionary(grouping: snapshots, by: \.snapshot.host) {
            let inOrder = own.sorted { ($0.snapshot.time, $0.id) < ($1.snapshot.time, $1.id) }
            let moments = inOrder.map { stored in
                DatedMoment(
                    wall: stored.snapshot.time, boot: stored.snapshot.boot,
                    bootID: stored.snapshot.bootID)
            }
            guard let doubt = TimeCheck.doubt(moments, now: now) else { continue }
            let name = inOrder.last { $0.snapshot.time == doubt.moment }?.shortID ?? "?"
            throw RepositoryError(
                .refused,
                "the time of snapshot \(name) of \(host) cannot be believed: \(doubt);"
                    + " nothing was forgotten",
                hint: "If the time is right, give --trust-times; if it is wrong, remove that"
                    + " snapshot by its id.")
        }
    }
}

/// What the snapshots of a group share.
private struct GroupName: Hashable, Comparable {
    let host: String?
    let paths: [[UInt8]]?
    let tags: [String]?

    init(_ snapshot: Snapshot, _ keys: Set<GroupingKey>) {
        host = keys.contains(.host) ? snapshot.host : nil
        paths =
            keys.contains(.paths)
            ? Set(snapshot.paths).sorted { $0.lexicographicallyPrecedes($1) } : nil
        tags = keys.contains(.tags) ? Set(snapshot.tags).sorted() : nil
    }

    private var text: String {
        let paths = (self.paths ?? []).map { String(decoding: $0, as: UTF8.self) }
        return ([host ?? ""] + paths + (tags ?? [])).joined(separator: "\0")
    }

    static func < (left: GroupName, right: GroupName) -> Bool { left.text < right.text }
}
