import Glibc
import Synchronization

/// Says what a command found, did and could not do.
///
/// To a person: answers go to standard output, warnings and errors to standard error. Where nobody
/// looks on (cron) and `--verbose` was not given, and under `--quiet`, notes are held back: success
/// drops them, so that cron sends no mail; a warning or a failure prints them on standard error,
/// so that the mail tells the whole story. To a program (`--json`): JSON lines only.
package final class Report: Sendable {
    private struct State {
        var held: [String] = []
        var heldBytes = 0
        var isHeldCut = false
        var warnings: UInt64 = 0
    }

    /// What is held back is bounded; beyond this the first lines count.
    private static let mostHeldBytes = 1 << 20

    /// How it speaks.
    package let voice: Voice
    private let holdsNotes: Bool
    private let output: Output
    private let errors: Output
    private let progress: ProgressLine?
    private let state = Mutex(State())

    /// Makes a report; `progress` is the line that makes room for what is printed.
    package init(
        voice: Voice, terminal: Terminal, output: Output, errors: Output,
        progress: ProgressLine? = nil
    ) {
        self.voice = voice
        self.output = output
        self.errors = errors
        self.progress = progress
        holdsNotes = voice.isQuiet || (!terminal.isAttended && voice.verbosity == 0)
    }

    /// How many warnings were given.
    package var warnings: UInt64 { state.withLock { $0.warnings } }

    /// Prints a line of what the command was asked for, whoever looks on; a person's form.
    package func answer(_ line: String) {
        guard !voice.isJSON else { return }
        aside { output.line(line) }
    }

    /// Prints a line of a command that goes on for long at once, for whoever reads its log.
    package func log(_ line: String, json: @autoclosure () -> JSONLine? = nil) {
        if !voice.isJSON {
            aside { output.line(line) }
        } else if let json = json() {
            output.line(json.text)
        }
        output.flush()
    }

    /// Prints bytes of what the command was asked for as they are (`dump`).
    package func answer(bytes: [UInt8]) {
        output.write(bytes)
    }

    /// Prints a JSON line; nothing unless `--json` was given.
    package func answer(_ line: @autoclosure () -> JSONLine) {
        guard voice.isJSON else { return }
        output.line(line().text)
    }

    /// Says what was done, for instance a line of the summary.
    package func note(_ line: String) {
        guard !voice.isJSON else { return }
        guard holdsNotes else {
            return aside { output.line(line) }
        }
        state.withLock { state in
            guard state.heldBytes < Self.mostHeldBytes else {
                state.isHeldCut = true
                return
            }
            state.held.append(line)
            state.heldBytes += line.utf8.count
        }
    }

    /// Says what would be done, which a dry run was asked for, or what is done.
    package func plan(_ line: String, isAsked: Bool) {
        if isAsked { answer(line) } else { note(line) }
    }

    /// Says more, for whoever gave `--verbose` so often; under `--json` the line of the object.
    package func detail(
        _ line: @autoclosure () -> String, level: Int = 1, json: @autoclosure () -> JSONLine? = nil
    ) {
        guard voice.verbosity >= level else { return }
        if !voice.isJSON {
            let text = line()
            aside { output.line(text) }
        } else if let json = json() {
            output.line(json.text)
        }
    }

    /// Says what could not be done while the command goes on.
    ///
    /// `during` names the phase (`scan`, `archival`, `restore`, `verify`), `item` the path; with
    /// `isOnlySaid` what was asked for is done all the same, and the exit code is as without it.
    package func warning(
        _ message: String, during: String, item: [UInt8]? = nil, isOnlySaid: Bool = false
    ) {
        if !isOnlySaid { state.withLock { $0.warnings += 1 } }
        output.flush()
        let subject = item.map { PathText.shown($0) + ": " } ?? ""
        let line =
            voice.isJSON
            ? JSONLine.error(message, during: during, item: item).text
            : "warning: \(subject)\(PathText.shown(message: message))"
        aside { errors.line(line) }
    }

    /// Says why the command ends.
    package func failure(_ error: CommandError) {
        output.flush()
        let lines =
            voice.isJSON
            ? [JSONLine.exitError(error).text] : error.lines.map { PathText.shown(message: $0) }
        aside {
            for line in lines { errors.line(line) }
        }
    }

    /// Ends the report: tells or drops what was held back, and writes what is pending.
    ///
    /// The answer is the code to end with: `code`, or a failure where output could not be written.
    package func finish(_ code: ExitCode) -> ExitCode {
        progress?.clear()
        let (held, isCut, warnings) = state.withLock { state in
            defer { state.held = [] }
            return (state.held, state.isHeldCut, state.warnings)
        }
        if code != .done || warnings > 0 {
            for line in held { errors.line(line) }
            if isCut { errors.line("(further lines were left out)") }
        }
        output.flush()
        if let failure = output.failure, code == .done {
            // A reader that has seen enough (`| head`) is told nothing.
            if failure != EPIPE { self.failure(.outputFailed(failure)) }
            return .failed
        }
        return code
    }

    private func aside(_ body: () -> Void) {
        if let progress { progress.aside(body) } else { body() }
    }
}
