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
        if complete { clean(target, keeping: runs) }
        try restorer.walk(runs) { node, path, way in
            guard case .directory(let runs, let complete) = node.content else { return false }
            do {
                let parent = try restorer.directory(at: way.above)
                guard try parent.status(node.name)?.kind == .directory else { return false }
                if complete { clean(try restorer.directory(at: way), keeping: runs) }
                return true
            } catch {
                restorer.report.problem(path, during: "deleting what is not in the snapshot", error)
                return false
            }
        }
    }

    private func clean(_ directory: TargetDirectory, keeping runs: [BlobReference]) {
        do {
            let kept = try names(of: runs)
            for name in try Directory.names(in: directory.descriptor, path: directory.path)
            where !kept.contains(name) {
                try remove(name, in: directory)
            }
        } catch {
            // A listing that is damaged says nothing of what is to be kept.
            restorer.report.problem(
                directory.path, during: "deleting what is not in the snapshot", error)
        }
    }

    private func names(of runs: [BlobReference]) throws -> Set<[UInt8]> {
        var kept: Set<[UInt8]> = []
        for run in runs {
            for node in try restorer.browser.nodes(of: run) {
                kept.insert(node.name)
                guard case .database = node.content else { continue }
                for suffix in DatabaseSidecar.suffixes { kept.insert(node.name + suffix) }
            }
        }
        return kept
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
