import Testing

@testable import Backup

@Suite struct PathPatternTests {
    struct Case: CustomTestStringConvertible, Sendable {
        let pattern: String
        let path: String
        let matches: Bool
        var isDirectory = false

        init(_ pattern: String, _ path: String, _ matches: Bool, isDirectory: Bool = false) {
            self.pattern = pattern
            self.path = path
            self.matches = matches
            self.isDirectory = isDirectory
        }

        var testDescription: String { "\(pattern) \(path)" }
    }

    static let cases = [
        // Without a slash: the last component, anywhere.
        Case("*.tmp", "/srv/a.tmp", true), Case("*.tmp", "/a.tmp", true),
        Case("*.tmp", "/srv/a.tmp/b", false), Case("*.tmp", "/srv/a.tmpx", false),
        Case("cache", "/srv/cache", true), Case("cache", "/srv/cached", false),
        Case("*", "/srv/a", true), Case("*", "/", false), Case(".*", "/srv/.git", true),
        Case("*", "/srv/.git", true),
        // With a slash: the last components, anywhere.
        Case("a/b", "/a/b", true), Case("a/b", "/x/a/b", true), Case("a/b", "/xa/b", false),
        Case("a/b", "/a/b/c", false), Case("a/*/c", "/x/a/b/c", true),
        Case("a/*/c", "/a/b/b/c", false), Case("a//b", "/a/b", true),
        // With a leading slash: from the root.
        Case("/a/b", "/a/b", true), Case("/a/b", "/x/a/b", false), Case("/*", "/a", true),
        Case("/*", "/a/b", false), Case("/a", "a", true),
        // Any depth.
        Case("/a/**/c", "/a/c", true), Case("/a/**/c", "/a/b/c", true),
        Case("/a/**/c", "/a/b/b/c", true), Case("/a/**/c", "/x/a/c", false),
        Case("/**/c", "/c", true), Case("**/c", "/a/c", true), Case("**", "/a", true),
        Case("**", "/", false), Case("/a/**", "/a", false), Case("/a/**", "/a/b", true),
        Case("/a/**", "/a/b/c", true), Case("/a/**/**/c", "/a/c", true),
        Case("a**c", "/abbc", true), Case("a**c", "/a/c", false),
        Case("/a/**/b/**/c", "/a/x/b/y/b/c", true), Case("/a/**/b/**/c", "/a/x/c", false),
        // Directories only.
        Case("cache/", "/srv/cache", false), Case("cache/", "/srv/cache", true, isDirectory: true),
        Case("/a/b/", "/a/b", true, isDirectory: true), Case("/a/b/", "/a/b", false),
        // Bytes.
        Case("?", "/a", true), Case("?", "/ab", false), Case("a?c", "/abc", true),
        Case("[a-c]x", "/bx", true), Case("[a-c]x", "/dx", false), Case("[!a-c]x", "/dx", true),
        Case("[^a-c]x", "/bx", false), Case("[]a]", "/]", true), Case("[a-]", "/-", true),
        Case("[\\]]", "/]", true), Case("[!]]", "/a", true), Case("[!]]", "/]", false),
        Case("\\*", "/*", true), Case("\\*", "/a", false), Case("\\!a", "/!a", true),
        Case("a[*]", "/a*", true), Case("é", "/é", true), Case("*é", "/caf\u{E9}", true),
        // Backtracking.
        Case("*a*b", "/xaxbxab", true), Case("*a*b", "/xaxbxa", false), Case("a*", "/a", true),
        Case("*ab", "/aab", true), Case("***", "/x", true), Case("A", "/a", false),
    ]

    @Test(arguments: cases) func aPatternMatches(_ example: Case) throws {
        let pattern = try PathPattern(Array(example.pattern.utf8))
        let path = SplitPath(Array(example.path.utf8))
        let isDirectory = example.isDirectory
        #expect(pattern.matches(path, isDirectory: isDirectory) == example.matches)
        #expect(
            pattern.follow(path, isDirectory: isDirectory).matchesPath == example.matches,
            "following the path agrees with matching it")
    }

    @Test(arguments: [
        ("", PathPatternError.Reason.empty), ("/", .empty), ("!", .empty), ("[a", .unclosedClass),
        ("[]", .unclosedClass), ("[b-a]", .emptyRange), ("a\\", .danglingEscape),
        ("./a", .dotComponent), ("../a", .dotComponent), ("[a/b]", .unclosedClass),
        ("a\u{0}", .notText), (String(repeating: "a/", count: 61), .tooManyComponents),
        (String(repeating: "a", count: 9000), .tooLong), ("[a-\\", .danglingEscape),
        ("[a-", .unclosedClass),
    ])
    func whatCanMatchNothingIsRefused(_ text: String, _ reason: PathPatternError.Reason) {
        let error = #expect(throws: PathPatternError.self) { try PathPattern(Array(text.utf8)) }
        #expect(error?.reason == reason)
    }

    @Test func theDeepestPatternIsFollowedToItsEnd() throws {
        let text = String(repeating: "**/a/", count: 29) + "a/**"
        let pattern = try PathPattern(Array(text.utf8))
        let path = SplitPath(Array(String(repeating: "/a", count: 31).utf8))
        #expect(pattern.matches(path, isDirectory: false))
        let short = SplitPath(Array(String(repeating: "/a", count: 30).utf8))
        #expect(!pattern.matches(short, isDirectory: false))
    }

    @Test func manyStarsCostNoBlowUp() throws {
        let stars = try PathPattern(Array(String(repeating: "*a", count: 100).utf8) + [0x62])
        let name = SplitPath([0x2F] + Array(repeating: 0x61, count: 20_000))
        let depths = try PathPattern(Array((String(repeating: "**/a/", count: 29) + "b").utf8))
        let deep = SplitPath(Array(String(repeating: "/a", count: 5000).utf8))
        let elapsed = ContinuousClock().measure {
            #expect(!stars.matches(name, isDirectory: false))
            #expect(!depths.matches(deep, isDirectory: false))
        }
        // Exponential matching would outlast the universe; a loaded machine needs a second.
        #expect(elapsed < .seconds(60))
    }

    /// Every pattern of up to four of these letters against every name, by a plain definition.
    @Test func smallPatternsMatchAsTheDefinitionSays() throws {
        for pattern in Self.words(of: Array("ab*?".utf8), upTo: 4) {
            let compiled = try PathPattern(pattern)
            for name in Self.words(of: Array("ab".utf8), upTo: 4) {
                let expected = pattern == Array("**".utf8) || Self.defined(pattern[...], name[...])
                let actual = compiled.matches(SplitPath([0x2F] + name), isDirectory: false)
                #expect(actual == expected, "\(pattern) \(name)")
            }
        }
    }

    private static func defined(_ pattern: ArraySlice<UInt8>, _ name: ArraySlice<UInt8>) -> Bool {
        guard let first = pattern.first else { return name.isEmpty }
        let rest = pattern.dropFirst()
        if first == UInt8(ascii: "*") {
            return defined(rest, name) || (!name.isEmpty && defined(pattern, name.dropFirst()))
        }
        guard let letter = name.first, first == letter || first == UInt8(ascii: "?") else {
            return false
        }
        return defined(rest, name.dropFirst())
    }

    private static func words(of letters: [UInt8], upTo length: Int) -> [[UInt8]] {
        var all: [[UInt8]] = []
        var last: [[UInt8]] = [[]]
        for _ in 0..<length {
            last = last.flatMap { word in letters.map { word + [$0] } }
            all += last
        }
        return all
    }
}
