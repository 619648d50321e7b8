/// How a run ended, as the process tells its caller; the numbers are restic's, and 20 is our own.
package enum ExitCode: Int32, CaseIterable, Sendable {
    /// Everything asked for was done.
    case done = 0
    /// The command failed.
    case failed = 1
    /// The command line, a variable or the configuration is invalid; nothing was begun.
    case usage = 2
    /// The work is done and the snapshot exists, but some sources could not be read.
    case incomplete = 3
    /// There is no repository at the place named.
    case noRepository = 10
    /// Another process holds what this command needs.
    case locked = 11
    /// No key of the repository opens with the password given.
    case wrongPassword = 12
    /// `verify` found damage.
    case damageFound = 20
    /// A signal ended the run.
    case interrupted = 130

    /// What the code says, in the words of `holdfast help`.
    package var meaning: String {
        switch self {
        case .done: "done"
        case .failed: "failed"
        case .usage: "the command line or a variable is invalid; nothing was begun"
        case .incomplete: "done, but something could not be read or set; each is named"
        case .noRepository: "there is no repository at that place"
        case .locked: "another process holds what this one needs"
        case .wrongPassword: "wrong password"
        case .damageFound: "verify found damage"
        case .interrupted: "interrupted"
        }
    }
}
