import Backup
import Codec
import Glibc
import Platform
import Repository
import SQLite
import Simulation
import Synchronization
import Testing

private final class RestoreNotices: Sendable {
    private let heard = Mutex<[RestoreNotice]>([])

    func hear(_ notice: RestoreNotice) { heard.withLock { $0.append(notice) } }

    var all: [RestoreNotice] { heard.withLock { $0 } }
}

/// A snapshot that names a database which could not be read.
private final class AbsentScene {
    let scene: SmallScene
    let snapshot: StoredSnapshot
    let folder = ScratchFolder()
    private let heard = RestoreNotices()

    init() throws {
        scene = try SmallScene(seed: 5)
        // Another name, with a log of its own: what that holds cannot be captured.
        let other = scene.source.appending(relative: "sub/other.db")
        try scene.connection.execute("INSERT INTO t VALUES (1, 2)")
        let status = scene.source.appending("app.db").withCString { name in
            other.withCString { link(name, $0) }
        }
        try #require(status == 0)
        try ScratchFolder.write(
            [0x37, 0x7F, 0x06, 0x82] + [UInt8](repeating: 0, count: 100),
            to: scene.source.appending(relative: "sub/other.db-wal"))
        snapshot = try scene.backUp()
    }

    /// Restores a part of the snapshot, or what patterns select of its source.
    func restore(
        _ part: String = "", including patterns: [String] = [], dryRun: Bool = false
    ) throws -> RestoreCounts {
        let repository = try scene.open(fresh: true)
        try repository.refresh()
        var request = RestoreRequest(
            target: target,
            selection: PathSelection(
                includes: try patterns.map { try PathPattern(Array($0.utf8)) }))
        request.syncs = false
        request.dryRun = dryRun
        let report = RestoreReport { [heard] in heard.hear($0) }
        let node = try SnapshotBrowser(repository).node(
            at: scene.source.appending(relative: part), in: snapshot)
        try Restorer(from: repository, request, report: report, sync: { _ in }) { false }
            .run(RestoreSource(node, of: snapshot.snapshot))
        return report.counts
    }

    var target: FilePath { folder.path.appending(relative: "new/target") }

    var targetIsThere: Bool {
        get throws { try FileStatus.ofExisting(folder.path.appending("new")) != nil }
    }

    /// What the snapshot does not hold, and why.
    var absences: [String] {
        heard.all.compactMap { notice in
            guard case .absent(let path, let reason) = notice else { return nil }
            return "\(String(decoding: path.lastComponent, as: UTF8.self)): \(reason)"
        }
    }
}

/// What a restore does with what the snapshot names and does not hold, or does not even name.
@Suite struct AbsentEntryTests {
    @Test func whatTheSnapshotDoesNotHoldIsNamedAndTheRestComesBack() throws {
        let scene = try AbsentScene()
        #expect(scene.snapshot.snapshot.totals.unreadable > 0)
        let counts = try scene.restore()
        #expect(counts.absent == 2)
        #expect(!counts.isFailure)
        #expect(counts.databases == 1)
        #expect(scene.absences[0].hasPrefix("other.db: it is another name of "))
    }

    @Test func aRestoreOfNothingElseHasFailed() throws {
        let single = try AbsentScene().restore("sub/other.db")
        #expect(single.absent == 1 && single.isFailure)
        let included = try AbsentScene().restore(including: ["other.db"])
        #expect(included.absent == 1 && included.isFailure)
        let dry = try AbsentScene().restore(including: ["other.db"], dryRun: true)
        #expect(dry.absent == 1 && dry.isFailure)
        let both = try AbsentScene().restore(including: ["other.db", "b"], dryRun: true)
        #expect(both.absent == 1 && !both.isFailure)
    }

    @Test func patternsThatMatchNothingMakeNothing() throws {
        let scene = try AbsentScene()
        for dryRun in [false, true] {
            let counts = try scene.restore(including: ["nobody", "/sub/a"], dryRun: dryRun)
            #expect(counts.isNothing)
            #expect(try !scene.targetIsThere)
        }
        let counts = try scene.restore(including: ["/sub/b"])
        #expect(!counts.isNothing && counts.files == 1)
    }

    @Test func whatCouldNotBePutAnywhereIsAFailure() throws {
        let scene = try AbsentScene()
        for name in ["new", "new/target", "new/target/a"] {
            try LinuxDisk().makeDirectory(scene.folder.path.appending(relative: name))
        }
        let counts = try scene.restore("a")
        #expect(counts.problems == 1 && counts.isFailure)
    }
}

/// What a backup says of what it leaves out, or holds otherwise than before.
@Suite struct ArchiveRemarkTests {
    private final class Heard: Sendable {
        private let lines = Mutex<[String]>([])

        func hear(_ notice: ArchiveNotice) {
            switch notice {
            case .problem(let path, _, let reason): add("problem", path, reason)
            case .remark(let path, let text): add("remark", path, text)
            case .item, .database: break
            }
        }

        private func add(_ kind: String, _ path: FilePath, _ text: String) {
            let name = String(decoding: path.lastComponent, as: UTF8.self)
            lines.withLock { $0.append("\(kind) \(name): \(text)") }
        }

        func take() -> [String] {
            lines.withLock { lines in
                defer { lines = [] }
                return lines
            }
        }
    }

    @Test func aDatabaseThatNoLongerOpensIsAProblemOnce() throws {
        let scene = try SmallScene(seed: 6)
        let heard = Heard()
        try scene.backUp { heard.hear($0) }
        #expect(heard.take() == [])
        for suffix in ["-wal", "-shm"] {
            try LinuxDisk().remove(scene.source.appending("app.db" + suffix))
        }
        try ScratchFolder.write(
            [UInt8](repeating: 7, count: 2048), to: scene.source.appending("app.db"))
        try scene.backUp { heard.hear($0) }
        let problem = heard.take()
        #expect(problem.count == 1)
        #expect(
            problem.first?.hasPrefix(
                "problem app.db: it was captured as a database before, and is stored as a plain "
                    + "file now: ") == true)
        try scene.backUp { heard.hear($0) }
        #expect(heard.take().allSatisfy { !$0.hasPrefix("problem") })
    }

    @Test func whatIsOfTheRepositoryItselfIsSaidToBeLeftOut() throws {
        let scene = try SmallScene(seed: 7)
        scene.forbidden = [
            FileIdentity(
                try FileStatus.of(scene.source.appending("sub"), followingLinks: false))
        ]
        let heard = Heard()
        try scene.backUp { heard.hear($0) }
        #expect(heard.take() == ["remark sub: left out: the repository, or its cache"])
    }

    @Test func aFewDigitsDoNotNameASnapshot() throws {
        let scene = try SmallScene(seed: 8)
        let snapshot = try scene.backUp()
        let repository = try scene.open(fresh: false)
        let id = snapshot.id.hex
        for name in ["", String(id.prefix(1)), String(id.prefix(3))] {
            let error = #expect(throws: RepositoryError.self) {
                try repository.find(name, among: [snapshot])
            }
            #expect(error?.hint == "Give at least 4 digits of its id.")
        }
        #expect(try repository.find(String(id.prefix(4)), among: [snapshot]).id == snapshot.id)
    }
}
