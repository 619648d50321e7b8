import Commands
import Testing

@Suite struct ProgressLineTests {
    static let gibibyte: UInt64 = 1 << 30

    let page = Page()
    let clock = HandClock()

    func line(_ style: ProgressLine.Style, width: Int = 200) -> ProgressLine {
        ProgressLine(style: style, output: page.output(), clock: clock, width: { width })
    }

    static let half = Progress(
        .backup, items: 867, totalItems: 3000, bytes: 5 * gibibyte, totalBytes: 10 * gibibyte,
        errors: 2, current: [Array("/srv/accounts/uploads/a\n".utf8)])

    @Test func aPersonReadsShareCountsPaceErrorsAndETA() {
        let line = line(.line)
        clock.advance(milliseconds: 10_000)
        line.update { Self.half }
        #expect(
            page.text == "\r\u{1B}[K[0:10] 50.00%  867 files 5.000 GiB, total 3000 files "
                + "10.000 GiB, 512.000 MiB/s, 2 errors ETA 0:10  /srv/accounts/uploads/a\\x0A")
    }

    @Test(arguments: [20, 40, 60, 80, 100, 130]) func theLineFitsTheWindow(_ width: Int) {
        let line = line(.line, width: width)
        line.update { Self.half }
        #expect(page.text.dropFirst(4).count < width)
    }

    @Test func aNarrowWindowLeavesOutTheTotals() {
        let line = line(.line, width: 84)
        clock.advance(milliseconds: 10_000)
        line.update { Self.half }
        #expect(
            page.text.dropFirst(4)
                == "[0:10] 50.00%  867 files 5.000 GiB, 512.000 MiB/s, 2 errors ETA 0:10  …ploads/a\\x0A"
        )
    }

    @Test func itIsDrawnTenTimesASecondAtMost() {
        let line = line(.json)
        for _ in 0..<1000 {
            line.update { Self.half }
            clock.advance(milliseconds: 1)
        }
        #expect(page.lines.count == 10)
    }

    @Test func whatIsNotDrawnIsNotAskedFor() {
        let line = line(.silent)
        line.update {
            Issue.record("asked")
            return Self.half
        }
        #expect(page.text == "")
    }

    @Test func clearingMakesRoomUntilTheLineIsDueAgain() {
        let line = line(.line)
        line.update { Progress(.backup) }
        line.clear()
        line.clear()
        line.update { Progress(.backup) }
        clock.advance(milliseconds: 100)
        line.update { Progress(.backup) }
        let drawn = "\r\u{1B}[K[0:00] 0 files 0 B, 0 errors"
        #expect(page.text.hasPrefix(drawn + "\r\u{1B}[K\r\u{1B}[K[0:00] 0 files"))
    }

    @Test func aProgramReadsResticsStatus() {
        let line = line(.json)
        clock.advance(milliseconds: 10_000)
        line.update { Self.half }
        #expect(
            page.lines == [
                #"{"message_type":"status","seconds_elapsed":10,"seconds_remaining":10,"#
                    + #""percent_done":0.5,"total_files":3000,"files_done":867,"#
                    + #""total_bytes":10737418240,"bytes_done":5368709120,"error_count":2,"#
                    + #""current_files":["/srv/accounts/uploads/a\n"]}"#
            ])
    }

    @Test(arguments: [
        (Voice(), true, ProgressLine.Style.line), (Voice(), false, .silent),
        (Voice(isJSON: true), false, .json), (Voice(isQuiet: true), true, .silent),
        (Voice(isJSON: true, isQuiet: true), false, .silent),
        (Voice(verbosity: 2), false, .silent),
    ])
    func whoLooksOnDecidesTheStyle(
        _ voice: Voice, _ isTerminal: Bool, _ style: ProgressLine.Style
    ) {
        let terminal = Terminal(outputIsTerminal: false, errorIsTerminal: isTerminal)
        #expect(ProgressLine.Style(voice, terminal) == style)
    }

    @Test func whileTheTotalIsUnknownThereIsNoShare() {
        #expect(Progress(.backup, items: 5, bytes: 10).share == nil)
        #expect(Progress(.verify, items: 5, totalItems: 10).share?.part == 5)
        #expect(Progress(.backup, items: 5, totalItems: 10, bytes: 3).share == nil)
    }
}
