import Glibc
import Platform

/// Where the home directory of the user is, beneath which a program keeps what is its own.
package enum HomeLocation {
    /// `$HOME`, else what the password database has, since cron and systemd may not set it; nil
    /// where there is none. Throws a usage error for a variable that is no absolute path.
    static func standard(
        _ environment: EnvironmentVariables, remedy: String, homeInPasswordDatabase: () -> [UInt8]?
    ) throws(CommandError) -> FilePath? {
        if let home = environment.nonEmpty("HOME") {
            return try absolute(home, of: "HOME", remedy: remedy)
        }
        guard let home = homeInPasswordDatabase(), home.first == UInt8(ascii: "/") else {
            return nil
        }
        return FilePath(bytes: home)
    }

    /// The home directory that the password database has for the effective user; getpwuid_r(3).
    package static func ofUser() -> [UInt8]? {
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

    static func absolute(
        _ path: [UInt8], of variable: String, remedy: String
    ) throws(CommandError) -> FilePath {
        guard path.first == UInt8(ascii: "/") else {
            throw .usage(
                "variable \(variable) is no absolute path: \(PathText.shown(path))", hint: remedy)
        }
        return FilePath(bytes: path)
    }
}
