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
        case open(TargetDirectory)
        /// It would be made, were this no dry run.
        case absent
        /// It could not be made, which was reported.
        case failed
    }

    let path: FilePath
    /// The names that lead here from the target.
    let way: [[UInt8]]
    private let origin: (node: Node, above: RestoredDirectory)?
    private var state: State
    /// What lay here before anything was restored into it.
    private(set) var staleLogs = StaleLogs.none

    /// The target; nil where a dry run finds none.
    init(_ target: TargetDirectory?, at path: FilePath) throws {
        self.path = path
        way = []
        origin = nil
        state = target.map { .open($0) } ?? .absent
        if let target { staleLogs = try StaleLogs(in: target) }
    }

    init(_ node: Node, in above: RestoredDirectory) {
        path = above.path.appending(node.name)
        way = above.way + [node.name]
        origin = (node, above)
        state = .waiting
    }

    /// The directory itself; nil as long as it is not there.
    var opened: TargetDirectory? {
        if case .open(let directory) = state { directory } else { nil }
    }

    /// Makes the directory, and those above it, where it is not there; answers whether something
    /// can go into it.
    func make(for restorer: Restorer) -> Bool {
        if case .waiting = state, let (node, above) = origin {
            state = above.make(for: restorer) ? enter(node, in: above.opened, restorer) : .failed
        }
        if case .failed = state { return false }
        return true
    }

    private func enter(
        _ node: Node, in directory: TargetDirectory?, _ restorer: Restorer
    ) -> State {
        do {
            let status = try directory?.status(node.name)
            if let directory, let status, status.kind == .directory {
                guard !restorer.request.spared.contains(FileIdentity(status)) else {
                    throw Restorer.holdsRepository
                }
                let opened = try directory.open(node.name)
                try restorer.willWrite(in: opened)
                staleLogs = try StaleLogs(in: opened)
                restorer.report.update { $0.directories += 1 }
                return .open(opened)
            }
            if let status, !restorer.canReplace(status, path) { return .failed }
            guard let directory, !restorer.request.dryRun else {
                restorer.report.say(.item(.restored, path: path, bytes: 0))
                return .absent
            }
            if status != nil { try directory.remove(node.name) }
            try FileTree.makeDirectory(node.name, in: directory.descriptor, permissions: 0o700)
            restorer.report.update { $0.directories += 1 }
            return .open(try directory.open(node.name))
        } catch {
            restorer.report.problem(path, during: "making the directory", error)
            return .failed
        }
    }
}
