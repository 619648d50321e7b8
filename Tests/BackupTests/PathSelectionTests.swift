import Backup
import Testing

@Suite struct PathSelectionTests {
    static func patterns(_ texts: [String]) throws -> [PathPattern] {
        try texts.map { try PathPattern(Array($0.utf8)) }
    }

    @Test(
        arguments: [
            (["*.tmp", "!keep.tmp"], "/srv/a.tmp", true),
            (["*.tmp", "!keep.tmp"], "/srv/keep.tmp", false),
            (["!keep.tmp", "*.tmp"], "/srv/keep.tmp", true),
            (["/srv/*", "!/srv/a"], "/srv/a", false),
            (["/srv/*", "!/srv/a"], "/srv/b", true), (["!a"], "/srv/a", false),
            ([], "/srv/a", false),
        ] as [([String], String, Bool)])
    func theLastPatternThatMatchesDecides(
        _ texts: [String], _ path: String, _ isExcluded: Bool
    ) throws {
        let selection = PathSelection(excludes: try Self.patterns(texts))
        #expect(selection.excludes(Array(path.utf8), isDirectory: false) == isExcluded)
    }

    @Test(
        arguments: [
            (["cache/"], "/srv/cache/a/b", true), (["cache/"], "/srv/cache", false),
            (["/srv"], "/srv/a", true), (["/srv", "!/srv/a"], "/srv/a", true),
            (["/srv/*", "!/srv/a"], "/srv/a/b", false), (["/srv/**"], "/srv", false),
        ] as [([String], String, Bool)])
    func whatLiesBeneathAnExcludedDirectoryIsExcluded(
        _ texts: [String], _ path: String, _ isExcluded: Bool
    ) throws {
        let selection = PathSelection(excludes: try Self.patterns(texts))
        #expect(
            selection.excludesWithAncestors(Array(path.utf8), isDirectory: false) == isExcluded)
    }

    /// A pass for each directory above would copy gigabytes.
    @Test func aPathOfVeryManyDirectoriesIsLookedAtOnce() throws {
        let selection = PathSelection(excludes: try Self.patterns(["/**/b/*.tmp", "!keep.tmp"]))
        let deep = String(repeating: "/a", count: 20_000)
        for (end, isExcluded) in [
            ("/b/x.tmp", true), ("/b/x.tmp/c/d", true), ("/b/keep.tmp", false), ("/x.tmp", false),
        ] {
            let path = Array((deep + end).utf8)
            #expect(selection.excludesWithAncestors(path, isDirectory: false) == isExcluded)
        }
    }

    @Test(arguments: [
        ("/srv/data", true), ("/srv/data/a/b", true), ("/srv", false), ("/srv/datax", false),
        ("/etc/a.conf", true), ("/a.conf/b", true), ("/srv/data/x.tmp", false),
        ("/srv/data/cache/a", false), ("/srv/data/secret/a", false),
    ])
    func includesTakeADirectoryWithAllBeneath(_ path: String, _ isSelected: Bool) throws {
        let selection = PathSelection(
            excludes: try Self.patterns(["*.tmp", "cache/"]),
            includes: try Self.patterns(["/srv/data", "*.conf", "!/srv/data/secret"]))
        #expect(selection.selects(Array(path.utf8), isDirectory: false) == isSelected)
    }

    @Test(
        arguments: [
            (["/srv/data/a"], "/", true), (["/srv/data/a"], "/srv", true),
            (["/srv/data/a"], "/srv/data", true), (["/srv/data/a"], "/srv/data/a/b", true),
            (["/srv/data/a"], "/etc", false), (["/srv/data/a"], "/srv/data/b", false),
            (["/srv/*/a"], "/srv/x", true), (["/srv/*/a"], "/srv/x/y", false),
            (["a/b"], "/anything/at/all", true), (["*.conf"], "/etc", true),
            (["/srv/**/a"], "/srv/x/y", true), (["/srv/**/a"], "/etc", false), ([], "/etc", true),
            (["!/srv"], "/srv", false),
        ] as [([String], String, Bool)])
    func aWalkerEntersOnlyWhereSomethingMayLie(
        _ includes: [String], _ directory: String, _ mayContain: Bool
    ) throws {
        let selection = PathSelection(includes: try Self.patterns(includes))
        #expect(selection.mayContain(Array(directory.utf8)) == mayContain)
    }

    @Test func aWalkerDoesNotEnterAnExcludedDirectory() throws {
        let selection = PathSelection(excludes: try Self.patterns(["cache"]))
        #expect(!selection.mayContain(Array("/srv/cache".utf8)))
        #expect(!selection.mayContain(Array("/srv/cache/a".utf8)))
        #expect(selection.mayContain(Array("/srv".utf8)))
    }

    /// Wherever something is selected, the walker reaches it.
    @Test func pruningLosesNothing() throws {
        let texts = ["/a/b", "b/a", "/a/**/c", "c/", "/*/a", "**/b/**", "a", "/b/**"]
        let paths = Self.paths(depth: 4)
        for include in texts {
            for exclude in texts + ["none"] {
                let selection = PathSelection(
                    excludes: try Self.patterns([exclude]), includes: try Self.patterns([include]))
                for path in paths where selection.selects(path, isDirectory: true) {
                    for ancestor in Self.ancestors(path) {
                        #expect(selection.mayContain(ancestor), "\(include) \(exclude)")
                    }
                }
            }
        }
    }

    @Test func aPatternFileHasCommentsBlanksAndNegations() throws {
        let file = "# comment\n\n  *.tmp \r\n!keep.tmp\n\\#hash\n\\!bang\ntail\\ \n"
        let selection = PathSelection(excludes: try PatternFile.patterns(in: Array(file.utf8)))
        func excludes(_ path: String) -> Bool {
            selection.excludes(Array(path.utf8), isDirectory: false)
        }
        #expect(excludes("/a.tmp") && excludes("/#hash") && excludes("/!bang"))
        #expect(excludes("/tail ") && !excludes("/tail"))
        #expect(!excludes("/keep.tmp") && !excludes("/# comment"))
    }

    @Test func aPatternFileNamesTheLineAtFault() {
        let error = #expect(throws: PathPatternError.self) {
            try PatternFile.patterns(in: Array("a\n# b\n[c\n".utf8))
        }
        #expect(error?.line == 3)
        #expect(error?.description == "invalid pattern '[c' in line 3: a [ is not closed")
    }

    private static func paths(depth: Int) -> [[UInt8]] {
        var all: [[UInt8]] = []
        var last: [[UInt8]] = [[]]
        for _ in 0..<depth {
            last = last.flatMap { path in Array("abc".utf8).map { path + [0x2F, $0] } }
            all += last
        }
        return all
    }

    private static func ancestors(_ path: [UInt8]) -> [[UInt8]] {
        [[0x2F]] + stride(from: 2, to: path.count, by: 2).map { Array(path[..<$0]) }
    }
}
