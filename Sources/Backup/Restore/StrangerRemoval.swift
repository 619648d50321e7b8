import Platform
import Repository
import Timeline

/// Removes what a snapshot does not have from the directories that it has whole.
///
/// Nothing goes from a directory of which the snapshot does not know all entries, nothing that the
/// patterns leave out, nothing that belongs to a database, and nothing of the repository.
struct StrangerRemoval {
    private let restorer: Restorer

    init(_ restorer: Restorer) {
        self.restorer = restorer
    }

    func run(_ runs: [BlobReference], _ target: TargetDirectory, complete: Bool) throws {
        if complete { try clean(target, keeping: runs) }
        try restorer.browser.walk(runs, at: target.path) { node, path in
            guard case .directory(let runs, let complete) = node.content,
                restorer.mayEnter(node, path)
            else { return false }
            let way = Array(path.components.dropFirst(target.path.components.count))
            let parent = try restorer.parent(of: way, target)
            guard try parent.status(node.name)?.kind == .directory else { return false }
            if complete { try clean(try parent.open(node.name), keeping: runs) }
            return true
        }
    }

    private func clean(_ directory: TargetDirectory, keeping runs: [BlobReference]) throws {
        var kept: Set<[UInt8]> = []
        for run in runs {
            for node in try restorer.browser.nodes(of: run) {
                kept.insert(node.name)
                guard case .database = node.content else { continue }
                for suffix in DatabaseSidecar.suffixes { kept.insert(node.name + suffix) }
            }
        }
        for name in try Directory.names(in: directory.descriptor, path: directory.path)
        where !kept.contains(name) {
            try remove(name, in: directory)
        }
    }

    private func remove(_ name: [UInt8], in directory: TargetDirectory) throws {
        let path = directory.path.appending(name)
        guard let status = try directory.status(name),
            restorer.selects(path, isDirectory: status.kind == .directory)
        else { return }
        do {
            let spared = restorer.request.spared
            let isGone =
                try restorer.request.dryRun
                ? !spared.contains(FileIdentity(status)) : directory.remove(name, sparing: spared)
            guard isGone else {
                return restorer.report.say(
                    .remark(path: path, "stays: the repository, or its cache, lies there"))
            }
            restorer.report.update { $0.deleted += 1 }
            restorer.report.say(.item(.deleted, path: path, bytes: status.size))
        } catch {
            restorer.report.problem(path, during: "deleting", error)
        }
    }
}
