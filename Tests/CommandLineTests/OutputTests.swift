import Commands
import Platform
import Synchronization
import Testing

/// Memory that an `Output` writes to.
final class Page: Sendable {
    private let bytes = Mutex<[UInt8]>([])
    /// The `errno` of every write; 0 writes.
    private let code: CInt

    init(failingWith code: CInt = 0) {
        self.code = code
    }

    func output(isBuffered: Bool = false) -> Output {
        Output(isBuffered: isBuffered) { [self] written in
            if code == 0 { bytes.withLock { $0 += written } }
            return code
        }
    }

    var text: String { bytes.withLock { String(decoding: $0, as: UTF8.self) } }
    var lines: [String] { text.split(separator: "\n").map(String.init) }
}

/// A clock that a test moves.
final class HandClock: Clock {
    private let nanoseconds = Mutex<UInt64>(1_000_000_000)

    func now() -> Timestamp { Timestamp(seconds: 1_772_366_400, nanoseconds: 0) }
    func bootTime() -> UInt64 { nanoseconds.withLock { $0 } }
    func sleep(nanoseconds: UInt64) { advance(milliseconds: nanoseconds / 1_000_000) }
    func advance(milliseconds: UInt64) { nanoseconds.withLock { $0 += milliseconds * 1_000_000 } }
}

@Suite struct OutputTests {
    @Test func aBufferedPlaceIsWrittenWhenFlushed() {
        let page = Page()
        let output = page.output(isBuffered: true)
        output.line("one")
        #expect(page.text == "")
        output.flush()
        #expect(page.text == "one\n")
        output.write(Array(repeating: 0x61, count: 1 << 16))
        #expect(page.text.utf8.count == 4 + (1 << 16))
    }

    @Test func afterAFailureNothingIsWritten() {
        let page = Page(failingWith: 28)
        let output = page.output()
        output.line("one")
        #expect(output.failure == 28)
    }

    @Test func aDescriptorThatCannotBeWrittenIsAFailure() {
        let output = Output(descriptor: -1, isBuffered: false)
        output.line("one")
        #expect(output.failure == 9)
    }

    @Test(
        arguments: [
            ([], ""),
            (Array("plain é 漢".utf8), "plain é 漢"),
            (Array("a\nb\t\u{7F}\u{1B}[2J".utf8), "a\\x0Ab\\x09\\x7F\\x1B[2J"),
            ([0x61, 0xFF, 0xC3, 0x28, 0xE2, 0x82], "a\\xFF\\xC3(\\xE2\\x82"),
            (Array("a\u{85}\u{202E}b".utf8), "a\\xC2\\x85\\xE2\\x80\\xAEb"),
            ([0xED, 0xA0, 0x80, 0xC0, 0x80], "\\xED\\xA0\\x80\\xC0\\x80"),
        ] as [([UInt8], String)])
    func whatATerminalWouldObeyIsEscaped(_ bytes: [UInt8], _ text: String) {
        #expect(PathText.shown(bytes) == text)
    }

    @Test func aTableAlignsItsColumns() {
        var table = Table(Table.Column("ID"), Table.Column("Paths"), Table.Column("Size", .right))
        table.add([["40dc1520"], ["/srv", "/etc/x"], ["1.000 KiB"]])
        table.add("a", "é")
        #expect(
            table.lines == [
                "ID        Paths        Size",
                "---------------------------",
                "40dc1520  /srv    1.000 KiB",
                "          /etc/x",
                "a         é",
                "---------------------------",
            ])
    }
}
