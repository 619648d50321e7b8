import Glibc
package import Platform

/// Where what must survive, and is not in the repository yet, lives when nobody says otherwise.
package enum StateLocation {
    /// `$XDG_STATE_HOME/holdfast`, else `/var/lib/holdfast` for root, else `.local/state/holdfast`
    /// beneath the home directory, which is found as that of the cache. (XDG Base Directory
    /// Specification.)
    ///
    /// Throws a usage error for a variable that is no absolute path, and where there is no home.
    package static func standard(
        _ environment: EnvironmentVariables, user: UInt32 = geteuid(),
        homeInPasswordDatabase: () -> [UInt8]? = HomeLocation.ofUser
    ) throws(CommandError) -> FilePath {
        let remedy = "say --data DIR"
        if let state = environment.nonEmpty("XDG_STATE_HOME") {
            return try HomeLocation.absolute(state, of: "XDG_STATE_HOME", remedy: remedy)
                .appending("holdfast")
        }
        if user == 0 { return "/var/lib/holdfast" }
        let home = try HomeLocation.standard(
            environment, remedy: remedy, homeInPasswordDatabase: homeInPasswordDatabase)
        guard let home else {
            throw .usage(
                "there is no directory for the journal: XDG_STATE_HOME and HOME are not set, and "
                    + "user \(user) has no home directory",
                hint: remedy)
        }
        return home.appending(".local/state/holdfast")
    }
}
