import Glibc
import Platform

/// Where what must survive, and is not in the repository yet, lives when nobody says otherwise.
enum StateLocation {
    /// `/var/lib/holdfast` for root, else `$XDG_STATE_HOME/holdfast`, else `.local/state/holdfast`
    /// beneath the home directory (XDG Base Directory Specification).
    static func standard() throws(CommandError) -> FilePath {
        if geteuid() == 0 { return "/var/lib/holdfast" }
        if let state = getenv("XDG_STATE_HOME"), state.pointee == 0x2F {
            return FilePath(String(cString: state)).appending("holdfast")
        }
        guard let home = CacheLocation.homeOfUser() else {
            throw .usage(
                "there is no directory for the journal: user \(geteuid()) has no home directory",
                hint: "say --data DIR")
        }
        return FilePath(bytes: home).appending(".local/state/holdfast")
    }
}
