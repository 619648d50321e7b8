import Testing

@Suite struct SourceTests {
    /// The module an import line names; nil for any other line.
    private func imported(by line: String) -> String? {
        var words = line.split(separator: " ").map(String.init)
        let accesses = ["package", "public", "internal", "private", "fileprivate", "@testable"]
        while let first = words.first, accesses.contains(first) { words.removeFirst() }
        guard words.count >= 2, words[0] == "import" else { return nil }
        return words[words.count - 1].split(separator: ".").first.map(String.init)
    }

    @Test func aModuleImportsOnlyWhatStandsAboveIt() throws {
        let order = try Modules().all
        let system: Set = ["Glibc", "Synchronization"]
        for file in try House.files(".swift", in: "Sources") {
            let own = try #require(order.firstIndex(of: file.module), "\(file) is in no module")
            for (index, line) in file.lines.enumerated() {
                guard let name = imported(by: line), !system.contains(name) else { continue }
                let place = House.place(file, index)
                guard let other = order.firstIndex(of: name) else {
                    Issue.record("\(place) imports \(name), which is not of this house")
                    continue
                }
                #expect(other < own, "\(place) imports \(name), which stands below it")
            }
        }
    }

    @Test func nothingImportsFoundation() throws {
        for file in try House.files(".swift", in: "Sources", "Tests") {
            for (index, line) in file.lines.enumerated() {
                let isForeign = imported(by: line)?.hasPrefix("Foundation") == true
                #expect(!isForeign, "\(House.place(file, index))")
            }
        }
    }

    @Test func whatTheCompilerDoesNotCheckHasItsReasonBesideIt() throws {
        // Put together, so that this file does not hold the words itself.
        let marks = ["@" + "unchecked Sendable", "nonisolated(" + "unsafe)"]
        for file in try House.files(".swift", in: "Sources", "Tests") {
            for (index, line) in file.lines.enumerated() {
                let content = line.trimmed
                guard !content.hasPrefix("//"), marks.contains(where: content.contains) else {
                    continue
                }
                let above = index > 0 ? file.lines[index - 1].trimmed : ""
                let inside = index + 1 < file.lines.count ? file.lines[index + 1].trimmed : ""
                let isExplained =
                    above.hasPrefix("//") && !above.hasPrefix("///") || inside.hasPrefix("//")
                #expect(isExplained, "\(House.place(file, index)) does not say why it is safe")
            }
        }
    }
}
