import Glibc
import Platform
import Testing

@Suite struct StructureTests {
    @Test func topLevelHoldsWhatTheDesignNamesAndNothingElse() throws {
        let required: Set = ["Package.swift", "Sources", "Tests", "Scripts", "README.md"]
        // An empty folder is not in a checkout, and the package manager's file is ignored.
        let allowed = required.union(["Fixtures", "Package.resolved"])
        let present = try House.topLevel()
        #expect(present.subtracting(allowed).isEmpty)
        #expect(required.subtracting(present).isEmpty)
    }

    @Test func packageResolvedIsNotCommitted() throws {
        guard House.exists(".git") else { return }
        let command = [
            "git", "-c", "safe.directory=*", "-C", House.root.description, "ls-files",
            "Package.resolved", "*/Package.resolved",
        ]
        let (status, output) = try Subprocess.run(command, outputLimit: 1 << 16)
        #expect(status.isSuccess)
        #expect(output.isEmpty)
    }

    @Test func noFolderOrFileIsADrawer() throws {
        let drawers = ["Util", "Utils", "Utilities", "Helper", "Helpers", "Common", "Manager"]
        for path in try House.paths(below: "Sources") + House.paths(below: "Tests") {
            let name = path.split(separator: "/").last?.split(separator: ".").first ?? ""
            let isDrawer = drawers.contains { name.hasSuffix($0) }
            #expect(!isDrawer, "\(path) says nothing of what is in it")
        }
    }

    @Test func noSourceFileHasMoreThan400Lines() throws {
        for file in try House.files(".swift", in: "Sources") {
            #expect(file.lines.count <= 400, "\(file) has \(file.lines.count) lines: two concepts")
        }
    }

    @Test func noLineHasMoreThan100Columns() throws {
        for file in try House.files(".swift", in: "Sources", "Tests") {
            for (index, line) in file.lines.enumerated() where line.count > 100 {
                // Scripts and expected output in tests cannot be cut; the formatter sees to the
                // rest.
                guard file.path.hasPrefix("Sources") || line.trimmed.hasPrefix("//") else {
                    continue
                }
                Issue.record("\(House.place(file, index)) has \(line.count) columns")
            }
        }
    }

    @Test func everyModuleHasItsFolderAndEveryFolderItsModule() throws {
        let modules = try Modules()
        let folders = Set(
            try House.paths(below: "Sources").map { String($0.split(separator: "/")[1]) })
        #expect(folders == Set(modules.ofSources))
    }
}

/// The targets of `Package.swift`, in their order.
struct Modules {
    /// All targets but tests.
    let all: [String]
    /// Those that lie in `Sources`.
    let ofSources: [String]

    init() throws {
        let text = try House.file("Package.swift").text
        guard let start = text.firstRange(of: "targets: [\n") else {
            throw FormatFailure("Package.swift has no list of targets")
        }
        let list = String(text[start.upperBound...])
        let pieces = list.components(beginningWith: [
            "library(", ".systemLibrary(", "room(", ".executableTarget(", ".target(", "tests(",
        ])
        let targets = pieces.filter { !$0.hasPrefix("tests(") }
        all = targets.compactMap { $0.parts(between: "\"", and: "\"").first }
        ofSources = zip(targets, all).filter { !$0.0.contains("path: \"Tests/") }.map(\.1)
        guard all.count == targets.count, all.contains("Platform") else {
            throw FormatFailure("the list of targets in Package.swift is written in another way")
        }
    }
}

/// A file that is not written as a test expects.
struct FormatFailure: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}

extension String {
    /// The text cut before every line that begins, behind blanks, with one of some words.
    fileprivate func components(beginningWith words: [String]) -> [String] {
        var pieces: [String] = []
        for line in split(separator: "\n") {
            let content = String(line).trimmed
            if words.contains(where: content.hasPrefix) {
                pieces.append(content)
            } else if !pieces.isEmpty {
                pieces[pieces.count - 1] += "\n" + content
            }
        }
        return pieces
    }
}
