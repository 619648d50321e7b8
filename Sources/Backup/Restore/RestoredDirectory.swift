import Platform
import Repository

/// A directory on its way back.
///
/// One that the patterns select is made at once; one that is only on the way to what they select
/// is made once that is met, so that a restore of a few files does not leave the whole tree of
/// empty directories around them.
final class RestoredDirectory {
    private enum State {
        case waiting
        case present
        /// It would be made, were this no dry run.
        case absent
        /// It could not be made, which was reported.
        case failed
    }

    /// How it is reached; nil for the target.
    let way: TargetWay?
    /// What is to be here; nil for the target.
    private let node: Node?
    /// The walk that goes through this one holds those above it.
    private unowned let above: RestoredDirectory?
    private var state: State
    /// What lay here before anything was restored into it.
    private(set) var staleLogs = StaleLogs.none

    /// The target; nil where a dry run finds none.
    init(_ target: TargetDirectory?) throws {
        way = nil
        node = nil
        above = nil
        state = target == nil ? .absent : .present
        if let target { staleLogs = try StaleLogs(in: target) }
    }

    init(_ node: Node, in above: RestoredDirectory) {
        way = TargetWay(node.name, below: above.way)
        self.node = node
        self.above = above
        state = .waiting
    }

    /// Whether this dry run would have to make it.
    var isAbsent: Bool {
        if case .absent = state { true } else { false }
    }

    private func path(in restorer: Restorer) -> FilePath {
        way?.path(below: restorer.request.target) ?? restorer.request.target
    }

    /// The directory itself; nil where it is not there, or, which is reported once, not any more.
    func reach(for restorer: Restorer) -> TargetDirectory? {
        guard case .present = state else { return nil }
        do {
            return try restorer.directory(at: way)
        } catch {
            restorer.report.problem(path(in: restorer), during: "going back to it", error)
            state = .failed
            return nil
        }
    }

    /// Makes the directory, and those above it, where it is not there; answers whether something
    /// can go into it.
    func make(for restorer: Restorer) -> Bool {
        var waiting: [RestoredDirectory] = []
        var step: RestoredDirectory? = self
        while let directory = step, case .waiting = directory.state {
            waiting.append(directory)
            step = directory.above
        }
        for directory in waiting.reversed() { directory.state = directory.enter(restorer) }
        if case .failed = state { return false }
        return true
    }

    private func enter(_ restorer: Restorer) -> State {
        guard let node, let above else { return state }
        let directory = above.reach(for: restorer)
        guard directory != nil || above.isAbsent else { return .failed }
        do {
            let status = try directory?.status(node.name)
            if let directory, let status, status.kind == .directory {
                guard !restorer.request.spared.contains(FileIdentity(status)) else {
                    throw Restorer.holdsRepository
                }
                // The last pass gives it the mode of the snapshot, which may keep us out again.
                if !restorer.request.dryRun { try directory.makeWritable(node.name, status) }
                let opened = try restorer.directory(at: way)
                try restorer.willWrite(in: opened)
                staleLogs = try StaleLogs(in: opened)
                restorer.report.update { $0.directories += 1 }
                return .present
            }
            if let status, !restorer.canReplace(status, path(in: restorer)) { return .failed }
            guard let directory, !restorer.request.dryRun else {
                restorer.report.say(.item(.restored, path: path(in: restorer), bytes: 0))
                return .absent
            }
            if status != nil { try directory.remove(node.name) }
            try FileTree.makeDirectory(node.name, in: directory.descriptor, permissions: 0o700)
            restorer.report.update { $0.directories += 1 }
            _ = try restorer.directory(at: way)
            return .present
        } catch {
            restorer.report.problem(path(in: restorer), during: "making the directory", error)
            return .failed
        }
    }
}
