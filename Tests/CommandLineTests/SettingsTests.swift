import Codec
import Commands
import Platform
import Testing

@Suite struct SettingsTests {
    static func settings(
        _ options: [String] = [], _ variables: [String: String] = [:]
    ) throws -> CommandSettings {
        let parsed = try SampleProgram.command(["save"] + options)
        let all = variables.merging(["HOME": "/home/u"]) { given, _ in given }
        return try CommandSettings(parsed, EnvironmentVariables(all))
    }

    @Test func anOptionOutranksItsVariable() throws {
        let variables = [
            "HOLDFAST_REPOSITORY": "/variable", "HOLDFAST_PASSWORD": "secret",
            "HOLDFAST_CACHE_DIR": "/cache-variable", "HOLDFAST_PROGRESS_FPS": "0.5",
            "HOLDFAST_COMPRESSION": "max", "HOLDFAST_HOST": "alpha",
        ]
        let byVariable = try Self.settings([], variables)
        #expect(try byVariable.repository().bytes == Array("/variable".utf8))
        #expect(byVariable.password == .given(Array("secret".utf8)))
        #expect(byVariable.cacheDirectory.bytes == Array("/cache-variable".utf8))
        #expect(byVariable.progressPerSecond == 0.5)
        #expect(byVariable.compression == .max)
        #expect(byVariable.host == "alpha")

        let byOption = try Self.settings(
            ["-r/option", "-p/file", "--cache-dir=/cache-option", "--retry-lock", "5m", "-q"],
            variables)
        #expect(try byOption.repository().bytes == Array("/option".utf8))
        #expect(byOption.password == .file(FilePath("/file")))
        #expect(byOption.cacheDirectory.bytes == Array("/cache-option".utf8))
        #expect(byOption.retryLock == .seconds(300))
        #expect(byOption.voice == Voice(isQuiet: true))
    }

    @Test func nothingSaidIsNothingAssumed() throws {
        let settings = try Self.settings()
        #expect(settings.password == .terminal)
        #expect(settings.progressPerSecond == 10)
        #expect(settings.retryLock == nil)
        #expect(settings.compression == nil)
        let error = #expect(throws: CommandError.self) { try settings.repository() }
        #expect(error?.hint == "say --repo DIR or --config FILE, or set HOLDFAST_REPOSITORY")
    }

    @Test func theOtherPasswordSourcesAreSaidByVariables() throws {
        #expect(
            try Self.settings([], ["HOLDFAST_PASSWORD_COMMAND": "pass show x"]).password
                == .command(Array("pass show x".utf8)))
        #expect(
            try Self.settings([], ["HOLDFAST_PASSWORD_FILE": "/f"]).password
                == .file(FilePath("/f")))
        #expect(try Self.settings(["--insecure-no-password"]).password == .none)
    }

    @Test(arguments: [
        ("HOLDFAST_REPOSITROY", "/x", "unknown variable HOLDFAST_REPOSITROY"),
        ("HOLDFAST_ALL", "1", "unknown variable HOLDFAST_ALL"),
        ("HOLDFAST_", "1", "unknown variable HOLDFAST_"),
        ("HOLDFAST_REPOSITORY", "", "variable HOLDFAST_REPOSITORY is set, but empty"),
        ("HOLDFAST_PASSWORD", "", "variable HOLDFAST_PASSWORD is set, but empty"),
        (
            "HOLDFAST_COMPRESSION", "ultra",
            "variable HOLDFAST_COMPRESSION is none of fast, balanced, max: ultra"
        ),
        (
            "HOLDFAST_PROGRESS_FPS", "0",
            "variable HOLDFAST_PROGRESS_FPS is no number above 0 and at most 60: 0"
        ),
        (
            "HOLDFAST_PROGRESS_FPS", "nan",
            "variable HOLDFAST_PROGRESS_FPS is no number above 0 and at most 60: nan"
        ),
    ])
    func anInvalidVariableIsNamed(_ name: String, _ value: String, _ message: String) {
        let error = #expect(throws: CommandError.self) { try Self.settings([], [name: value]) }
        #expect(error?.code == .usage)
        #expect(error?.message == message)
    }

    @Test(arguments: [
        (["-q", "-v"], "options --quiet and --verbose exclude each other"),
        (
            ["-p/x", "--password-command=y"],
            "options --password-file and --password-command exclude each other"
        ),
        (["--repo="], "option --repo names no path: its value is empty"),
        (["--password-command="], "option --password-command names no command: its value is empty"),
        (["--retry-lock=5"], "option --retry-lock is no duration: 5"),
    ])
    func optionsThatDisagreeAreNamed(_ options: [String], _ message: String) {
        let error = #expect(throws: CommandError.self) { try Self.settings(options) }
        #expect(error?.message == message)
    }

    @Test func twoVariablesForThePasswordAreNamed() {
        let error = #expect(throws: CommandError.self) {
            try Self.settings([], ["HOLDFAST_PASSWORD": "a", "HOLDFAST_PASSWORD_FILE": "b"])
        }
        #expect(error?.message.contains("HOLDFAST_PASSWORD and HOLDFAST_PASSWORD_FILE") == true)
    }

    @Test(arguments: ["s3:bucket/x", "sftp:host:/x", "rest:https://host/x"])
    func aPlaceThatIsNoDirectoryIsRefused(_ place: String) throws {
        for (words, variables) in [
            (["--repo", place], [:]), ([], ["HOLDFAST_REPOSITORY": place]),
        ] {
            let error = #expect(throws: CommandError.self) {
                try Self.settings(words, variables)
            }
            #expect(error?.message.contains("a repository is a directory") == true)
        }
        _ = try Self.settings(["--repo", "./" + place], [:])
    }

    @Test func theEnvironmentOfTheProcessIsRead() {
        #expect(EnvironmentVariables.ofProcess()["PATH"] != nil)
    }
}

@Suite struct CacheLocationTests {
    @Test(arguments: [
        (["XDG_CACHE_HOME": "/xdg", "HOME": "/home/u"], "/xdg/holdfast"),
        (["XDG_CACHE_HOME": "", "HOME": "/home/u"], "/home/u/.cache/holdfast"),
        (["HOME": ""], "/var/db-home/.cache/holdfast"),
        ([:], "/var/db-home/.cache/holdfast"),
    ])
    func theFirstThatIsSaidHolds(_ variables: [String: String], _ path: String) throws {
        let location = try CacheLocation.standard(EnvironmentVariables(variables)) {
            Array("/var/db-home".utf8)
        }
        #expect(location.bytes == Array(path.utf8))
    }

    @Test func withoutAnyHomeTheOptionIsNamed() {
        let error = #expect(throws: CommandError.self) {
            try CacheLocation.standard(EnvironmentVariables([:])) { nil }
        }
        #expect(error?.hint == "say --cache-dir DIR or set HOLDFAST_CACHE_DIR")
    }

    @Test(arguments: ["XDG_CACHE_HOME", "HOME"]) func aRelativeVariableIsNamed(_ name: String) {
        let error = #expect(throws: CommandError.self) {
            try CacheLocation.standard(EnvironmentVariables([name: "relative"]))
        }
        #expect(error?.message == "variable \(name) is no absolute path: relative")
    }

    @Test func thePasswordDatabaseKnowsThisUser() throws {
        let home = try #require(HomeLocation.ofUser())
        #expect(home.first == UInt8(ascii: "/"))
    }
}

@Suite struct StateLocationTests {
    @Test(arguments: [
        (["XDG_STATE_HOME": "/xdg", "HOME": "/home/u"], 1000, "/xdg/holdfast"),
        (["XDG_STATE_HOME": "/xdg", "HOME": "/root"], 0, "/xdg/holdfast"),
        (["HOME": "/root"], 0, "/var/lib/holdfast"),
        (["HOME": "/home/u"], 1000, "/home/u/.local/state/holdfast"),
        ([:], 1000, "/var/db-home/.local/state/holdfast"),
    ])
    func theFirstThatIsSaidHolds(
        _ variables: [String: String], _ user: UInt32, _ path: String
    ) throws {
        let location = try StateLocation.standard(EnvironmentVariables(variables), user: user) {
            Array("/var/db-home".utf8)
        }
        #expect(location.bytes == Array(path.utf8))
    }

    @Test func withoutAnyHomeTheOptionIsNamed() {
        let error = #expect(throws: CommandError.self) {
            try StateLocation.standard(EnvironmentVariables([:]), user: 1000) { nil }
        }
        #expect(error?.hint == "say --data DIR")
    }
}
