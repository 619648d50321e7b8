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
        homeInPasswordDatabase: () -> [UInt8]? = Self.homeOfUser
    ) throws(CommandError) -> FilePath {
        if let cache = environment.nonEmpty("XDG_CACHE_HOME") {
            return try absolute(cache, of: "XDG_CACHE_HOME").appending("holdfast")
        }
        if let home = environment.nonEmpty("HOME") {
            return try absolute(home, of: "HOME").appending(".cache").appending("holdfast")
        }
        guard let home = homeInPasswordDatabase(), home.first == UInt8(ascii: "/") else {
            throw .usage(
                "there is no directory for the cache: XDG_CACHE_HOME and HOME are not set, and "
                    + "user \(geteuid()) has no home directory",
                hint: "say --cache-dir DIR or set HOLDFAST_CACHE_DIR")
        }
        return FilePath(bytes: home).appending(".cache").appending("holdfast")
    }

    /// The home directory that the password database has for the effective user; getpwuid_r(3).
    package static func homeOfUser() -> [UInt8]? {
        var size = 1024
        while size <= 1 << 20 {
            var entry = passwd()
            var found: UnsafeMutablePointer<passwd>?
            var strings = [CChar](repeating: 0, count: size)
            let code = getpwuid_r(geteuid(), &entry, &strings, size, &found)
            if code == ERANGE {
                size *= 4
                continue
            }
            guard code == 0, let home = found?.pointee.pw_dir else { return nil }
            // The string lies in `strings`, which is alive here, and ends in a zero.
            return withExtendedLifetime(strings) {
                Array(UnsafeRawBufferPointer(start: home, count: strlen(home)))
            }
        }
        return nil
    }

    private static func absolute(
        _ path: [UInt8], of variable: String
    ) throws(CommandError) -> FilePath {
        guard path.first == UInt8(ascii: "/") else {
            throw .usage(
                "variable \(variable) is no absolute path: \(PathText.shown(path))",
                hint: "say --cache-dir DIR or set HOLDFAST_CACHE_DIR")
        }
        return FilePath(bytes: path)
    }
}
