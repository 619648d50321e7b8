package import Platform

/// What a command works with: what it was told, and how it speaks.
package struct CommandContext: Sendable {
    package let settings: CommandSettings
    package let report: Report
    package let progress: ProgressLine
    package let terminal: Terminal
    package let zone: LocalZone
    package let clock: any Clock

    /// Makes the context of one run.
    package init(
        settings: CommandSettings, report: Report, progress: ProgressLine, terminal: Terminal,
        zone: LocalZone, clock: any Clock
    ) {
        self.settings = settings
        self.report = report
        self.progress = progress
        self.terminal = terminal
        self.zone = zone
        self.clock = clock
    }
}
