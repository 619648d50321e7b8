import Platform
import Testing

struct FilePathTests {
    @Test(arguments: [
        ("/a/b", "/a", "b"), ("/a", "/", "a"), ("/", "/", ""), ("//", "/", ""), ("a", ".", "a"),
        (".", ".", "."), ("", ".", ""), ("a/b/", "a", "b"), ("/a//b", "/a", "b"), ("a/", ".", "a"),
    ])
    func pathFallsIntoParentAndLastComponent(_ text: String, _ parent: String, _ last: String) {
        let path = FilePath(text)
        #expect(path.parent == FilePath(parent))
        #expect(path.lastComponent == last.bytes)
    }

    @Test(arguments: [
        ("/a/./b//c", "/a/b/c"), ("/a/../b", "/b"), ("/../../b", "/b"), ("/", "/"), ("/.", "/"),
        ("/a/b/../..", "/"), ("//a/", "/a"),
    ])
    func absolutePathIsResolvedByItsLetters(_ text: String, _ expected: String) throws {
        #expect(try FilePath(text).absolute() == FilePath(expected))
    }

    @Test func relativePathStartsAtTheCurrentDirectory() throws {
        let here = try FilePath.currentDirectory()
        #expect(here.isAbsolute)
        #expect(try FilePath("x/../y").absolute() == here.appending("y"))
        #expect(try FilePath(".").absolute() == here)
        #expect(try FilePath("").absolute() == "")
    }

    @Test func appendingPutsOneSlashBetween() {
        #expect(FilePath("/").appending("a") == "/a")
        #expect(FilePath("/a/").appending("b") == "/a/b")
        #expect(FilePath("").appending("b") == "b")
        #expect(FilePath("a").appending([0xFF]).bytes == [0x61, 0x2F, 0xFF])
        #expect(FilePath("/x//y/").components == ["x".bytes, "y".bytes])
    }

    @Test func pathWithNullNamesNothingRatherThanItsBeginning() throws {
        let path = FilePath(bytes: [0x2F, 0x74, 0x6D, 0x70, 0, 0x78])
        #expect(path.bytes.isEmpty)
        #expect(FilePath("/tmp").appending([0x61, 0]).bytes.isEmpty)
        let failure = try errno { _ = try FileStatus.of(path, followingLinks: true) }
        #expect(failure == .noSuchFile)
    }

    @Test func descriptionShowsEveryByteAndStaysOneLine() {
        #expect(FilePath("/grüße").description == "/grüße")
        #expect(FilePath(bytes: "a\nb".bytes).description == "a\\x0Ab")
        #expect(FilePath(bytes: [0x61, 0xFF, 0xC3, 0x62]).description == "a\\xFF\\xC3b")
        let mixed = FilePath(bytes: [0x1B, 0x5B, 0xC3, 0xBC, 0xC2, 0x9B, 0xFE])
        #expect(mixed.description == "\\x1B[ü\\xC2\\x9B\\xFE")
    }

    @Test func pathsSortByTheirBytes() {
        let sorted: [FilePath] = ["", "/", "/A", "/a", "/a/b", "/ä"]
        #expect(sorted.reversed().sorted() == sorted)
    }

    @Test func errorSaysWhatFailedWhereAndWhy() {
        let error = SystemError("fsync", "/srv/x", .inputOutput)
        #expect(error.description == "fsync /srv/x: Input/output error")
        let pathless = SystemError("pipe", nil, .tooManyOpenFiles)
        #expect(pathless.description == "pipe: Too many open files")
    }
}
