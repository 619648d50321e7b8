import Testing

@Suite struct DocumentationTests {
    private static let catalogue = "Sources/holdfast/holdfast.docc"

    private func documents() throws -> [House.File] {
        try [House.file("README.md")] + House.files(".md", in: Self.catalogue)
    }

    /// Names of the catalogue's pages, by which `<doc:…>` links to them.
    private func pages() throws -> Set<String> {
        Set(try House.files(".md", in: Self.catalogue).map { String($0.name.dropLast(3)) })
    }

    @Test func linksBetweenPagesLeadSomewhere() throws {
        let pages = try pages()
        for document in try documents() {
            for name in document.text.parts(between: "<doc:", and: ">") {
                #expect(pages.contains(name), "\(document) links to the page \(name)")
            }
        }
    }

    @Test func linksToFilesLeadSomewhere() throws {
        for document in try documents() {
            let folder = document.path.split(separator: "/").dropLast().joined(separator: "/")
            for target in document.text.parts(between: "](", and: ")") {
                guard !target.contains("://"), !target.hasPrefix("#") else { continue }
                let path = String(target.split(separator: "#").first ?? "")
                let fromRoot = folder.isEmpty ? path : folder + "/" + path
                #expect(House.exists(fromRoot), "\(document) links to \(target)")
            }
        }
    }

    @Test func everyPageIsListedOnTheLandingPage() throws {
        let landing = try House.file(Self.catalogue + "/holdfast.md").text
        let listed = Set(landing.parts(between: "- <doc:", and: ">"))
        #expect(try listed == pages().subtracting(["holdfast"]))
    }

    @Test func decisionsAreNumberedWithoutGaps() throws {
        let names = try House.files(".md", in: Self.catalogue + "/Decisions").map(\.name)
        for (index, name) in names.enumerated() {
            let number = String(10_000 + index + 1).dropFirst()
            #expect(name.hasPrefix("\(number)-"), "\(name) is not decision \(number)")
        }
        for file in try House.files(".md", in: Self.catalogue + "/Decisions") {
            for heading in ["## Context", "## Decision", "## Consequences"] {
                #expect(file.lines.contains(heading), "\(file) lacks '\(heading)'")
            }
        }
    }

    @Test func filesThatCommentsNameExist() throws {
        let files = try House.files(".swift", in: "Sources", "Tests")
        let names = Set(files.map(\.name))
        for file in files {
            for (index, line) in file.lines.enumerated() where line.trimmed.hasPrefix("//") {
                for word in line.split(whereSeparator: { " (),;:`".contains($0) }) {
                    let path = word.hasSuffix(".") ? word.dropLast() : word
                    guard path.hasSuffix(".swift"), let name = path.split(separator: "/").last
                    else { continue }
                    let isThere = names.contains(String(name)) || House.exists(String(path))
                    #expect(isThere, "\(House.place(file, index)) names \(path)")
                }
            }
        }
    }
}
