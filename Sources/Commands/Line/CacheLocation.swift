import Glibc
package import Platform

/// Where the local catalogue lives when nobody says otherwise.
package enum CacheLocation {
    /// `$XDG_CACHE_HOME/holdfast`, else `$HOME/.cache/holdfast`, else the same beneath the home
    /// directory that the password database has for this user, since cron and systemd may set
    /// neither. (XDG Base Directory Specification; an empty variable counts as not set.)
    ///
    /// Throws a usage error for a variable that is no absolute path, and where there is no home.
    package static func standard(
        _ environment: EnvironmentVariables,
        homeInPasswordDatabase: () -> [UInt8]? = HomeLocation.ofUser
    ) throws(CommandError) -> FilePath {
        let remedy = "say --cache-dir DIR or set HOLDFAST_CACHE_DIR"
        if let cache = environment.nonEmpty("XDG_CACHE_HOME") {
            return try HomeLocation.absolute(cache, of: "XDG_CACHE_HOME", remedy: remedy)
                .appending("holdfast")
        }
        let home = try HomeLocation.standard(
            environment, remedy: remedy, homeInPasswordDatabase: homeInPasswordDatabase)
        guard let home else {
            throw .usage(
                "there is no directory for the cache: XDG_CACHE_HOME and HOME are not set, and "
                    + "user \(geteuid()) has no home directory",
                hint: remedy)
        }
        return home.appending(".cache").appending("holdfast")
    }
}
