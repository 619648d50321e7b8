package import Platform
import Synchronization

/// Shows how far the work has come: one line that is drawn over and over on a terminal, `status`
/// lines under `--json`, nothing otherwise.
///
/// Any thread may update it at any time; what comes faster than it is drawn costs a look at the
/// clock.
package final class ProgressLine: Sendable {
    /// How progress is shown.
    package enum Style: Hashable, Sendable {
        /// As one line on a terminal.
        case line
        /// As JSON lines.
        case json
        /// Not at all.
        case silent

        /// How a voice shows it here: never when quiet, and as a line only where a person looks on.
        package init(_ voice: Voice, _ terminal: Terminal) {
            if voice.isQuiet {
                self = .silent
            } else if voice.isJSON {
                self = .json
            } else {
                self = terminal.errorIsTerminal && terminal.takesControls ? .line : .silent
            }
        }
    }

    private struct State {
        var start: UInt64
        var lastDrawn: UInt64?
        var isOnScreen = false
        var pace: Pace
    }

    private static let clearLine = Array("\r\u{1B}[K".utf8)

    private let style: Style
    private let output: Output
    private let clock: any Clock
    private let intervalNanoseconds: UInt64
    private let width: @Sendable () -> Int
    private let state: Mutex<State>

    /// Makes a line that begins now.
    ///
    /// `output` is standard error for a line and standard output for JSON; `perSecond` is above 0.
    package init(
        style: Style, output: Output, clock: any Clock, perSecond: Double = 10,
        width: @escaping @Sendable () -> Int = { 80 }
    ) {
        self.style = style
        self.output = output
        self.clock = clock
        self.intervalNanoseconds = UInt64(1e9 / max(perSecond, 0.001))
        self.width = width
        let start = clock.bootTime()
        state = Mutex(State(start: start, pace: Pace(start: start)))
    }

    /// Shows the progress unless it was shown less than an interval ago; only then is it asked for.
    package func update(_ progress: () -> Progress) {
        guard style != .silent else { return }
        let now = clock.bootTime()
        state.withLock { state in
            if let last = state.lastDrawn, now < last &+ intervalNanoseconds { return }
            draw(progress(), now, &state)
        }
    }

    /// Shows the last progress whatever the time, and leaves the line: what follows is printed
    /// beneath it under `--json`, and in its place on a terminal.
    package func finish(_ progress: Progress) {
        guard style == .json else { return clear() }
        let now = clock.bootTime()
        state.withLock { draw(progress, now, &$0) }
    }

    /// Removes the line from the terminal; a later update draws it anew.
    package func clear() {
        aside {}
    }

    /// Prints something else where the line was, without another thread drawing in between; `body`
    /// must not call the line itself. A later update draws it anew.
    package func aside(_ body: () -> Void) {
        state.withLock { state in
            if state.isOnScreen {
                output.write(Self.clearLine)
                output.flush()
                state.isOnScreen = false
            }
            body()
        }
    }

    private func draw(_ progress: Progress, _ now: UInt64, _ state: inout State) {
        state.lastDrawn = now
        state.pace.note(progress.bytes, at: now)
        let text = ProgressText(
            progress: progress,
            secondsElapsed: (now - min(now, state.start)) / 1_000_000_000,
            secondsRemaining: progress.bytesLeft.flatMap(state.pace.seconds),
            bytesPerSecond: state.pace.bytesPerSecond)
        switch style {
        case .line:
            output.write(Self.clearLine + Array(text.line(width: width()).utf8))
            state.isOnScreen = true
        case .json:
            output.line(text.json.text)
        case .silent:
            return
        }
        output.flush()
    }
}
