import Glibc
import Platform
import Repository

/// Gives restored entries owner, mode, attributes and times; reports what could not be set.
struct FileMetadata: Sendable {
    let report: RestoreReport
    private let userID = geteuid()

    init(report: RestoreReport) {
        self.report = report
    }

    /// Applies a node's metadata to the entry `name`; times come last, since the others touch them.
    func apply(_ node: Node, to name: [UInt8], in directory: TargetDirectory) {
        let path = directory.path.appending(node.name)
        attempt("setting the owner", path) {
            // Without privilege only the own id can be kept; then nothing needs setting.
            guard let now = try directory.status(name),
                now.userID != node.userID || now.groupID != node.groupID
            else { return }
            try FileTree.setOwner(
                name, in: directory.descriptor, userID: node.userID, groupID: node.groupID)
        }
        if node.kind != .symbolicLink {
            attempt("setting the mode", path) {
                try FileTree.setPermissions(
                    name, in: directory.descriptor, node.permissions)
            }
        }
        if !node.attributes.isEmpty {
            attempt("setting extended attributes", path) {
                for attribute in node.attributes {
                    try attribute.write(to: name, in: directory.descriptor)
                }
            }
        }
        attempt("setting the time", path) {
            try FileTree.setTimes(name, in: directory.descriptor, modified: node.modified)
        }
    }

    private func attempt(_ during: String, _ path: FilePath, _ step: () throws -> Void) {
        do {
            try step()
        } catch {
            report.problem(path, during: during, error)
        }
    }
}
