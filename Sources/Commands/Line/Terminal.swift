import Glibc

/// Whether a person looks on, and how wide their window is.
package struct Terminal: Sendable {
    /// Whether standard output is a terminal.
    package let outputIsTerminal: Bool
    /// Whether standard error is a terminal.
    package let errorIsTerminal: Bool
    /// Whether the terminal takes control sequences, such as the one that clears a line.
    package let takesControls: Bool
    /// Whether colour is wanted: a terminal, and `NO_COLOR` is not set (no-color.org).
    package let wantsColor: Bool
    /// How many columns the window has now; at least 20.
    package let width: @Sendable () -> Int

    /// Makes a terminal of these properties.
    package init(
        outputIsTerminal: Bool, errorIsTerminal: Bool, takesControls: Bool = true,
        wantsColor: Bool = false, width: @escaping @Sendable () -> Int = { 80 }
    ) {
        self.outputIsTerminal = outputIsTerminal
        self.errorIsTerminal = errorIsTerminal
        self.takesControls = takesControls
        self.wantsColor = wantsColor
        self.width = width
    }

    /// Whether any of the two leads to a person: cron's do not.
    package var isAttended: Bool { outputIsTerminal || errorIsTerminal }

    /// What the process's descriptors 1 and 2 lead to; isatty(3).
    package static func ofProcess(_ environment: EnvironmentVariables) -> Terminal {
        let outputIsTerminal = isatty(STDOUT_FILENO) == 1
        let errorIsTerminal = isatty(STDERR_FILENO) == 1
        let isDumb = environment["TERM"].map { $0 == Array("dumb".utf8) } ?? true
        return Terminal(
            outputIsTerminal: outputIsTerminal, errorIsTerminal: errorIsTerminal,
            takesControls: !isDumb,
            wantsColor: outputIsTerminal && !isDumb && environment.nonEmpty("NO_COLOR") == nil,
            width: { columns() })
    }

    /// The window's width; ioctl_tty(2). 80 where nobody knows.
    private static func columns() -> Int {
        for descriptor in [STDERR_FILENO, STDOUT_FILENO] {
            // struct winsize: rows, columns, and two fields nobody uses. Which module owns the
            // imported struct depends on who else includes its header, so it is spelled out.
            var size: [UInt16] = [0, 0, 0, 0]
            if ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size[1] > 0 {
                return max(20, Int(size[1]))
            }
        }
        return 80
    }
}
