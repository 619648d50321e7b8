// swift-tools-version: 6.3
import PackageDescription

let settings: [SwiftSetting] = [
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
]

/// A module of the house; it imports only what stands above it in the list of targets.
func room(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: settings)
}

func tests(of name: String, _ dependencies: [Target.Dependency]) -> Target {
    .testTarget(name: name + "Tests", dependencies: dependencies, swiftSettings: settings)
}

func library(_ name: String, _ pkgConfig: String, _ package: String) -> Target {
    .systemLibrary(name: name, pkgConfig: pkgConfig, providers: [.apt([package])])
}

let package = Package(
    name: "holdfast",
    products: [.executable(name: "holdfast", targets: ["holdfast"])],
    targets: [
        // C libraries of the distribution.
        library("CZlib", "zlib", "zlib1g-dev"),
        library("CSQLite", "sqlite3", "libsqlite3-dev"),
        library("COpenSSL", "libcrypto", "libssl-dev"),
        library("CISAL", "libisal", "libisal-dev"),
        .systemLibrary(name: "CLinux"),

        // Foundations.
        room("Platform", ["CLinux"]),
        room("Codec", ["CZlib", "COpenSSL", "CISAL"]),
        room("SQLite", ["CSQLite", "Platform", "Codec"]),

        // Back up, go back, prove it.
        room("Repository", ["Platform", "Codec", "SQLite"]),
        room("Timeline", ["CSQLite", "Platform", "Codec", "SQLite", "Repository"]),
        room("Backup", ["Platform", "Codec", "Repository", "Timeline"]),

        // The command line.
        room(
            "Commands",
            ["Platform", "Codec", "SQLite", "Repository", "Timeline", "Backup"]),
        .executableTarget(
            name: "holdfast", dependencies: ["Commands"], exclude: ["holdfast.docc"],
            swiftSettings: settings),

        // Proof.
        .target(
            name: "Simulation", dependencies: ["Platform", "Codec", "Repository"],
            path: "Tests/Simulation", swiftSettings: settings),
        .executableTarget(
            name: "DatabaseWriter", dependencies: ["SQLite", "Platform"],
            path: "Tests/DatabaseWriter", swiftSettings: settings),
        tests(of: "Platform", ["Platform", "Simulation"]),
        tests(of: "Codec", ["Codec", "CZlib", "CISAL"]),
        tests(of: "SQLite", ["SQLite", "Platform", "Codec"]),
        tests(of: "Repository", ["Repository", "Codec", "Platform", "Simulation"]),
        tests(
            of: "Timeline",
            [
                "Timeline", "Repository", "SQLite", "Codec", "Platform", "Simulation",
                "DatabaseWriter",
            ]),
        tests(
            of: "Backup",
            ["Backup", "Timeline", "Repository", "SQLite", "Codec", "Platform", "Simulation"]),
        tests(of: "CommandLine", ["Commands", "Platform", "Codec"]),
        tests(
            of: "Command",
            ["holdfast", "DatabaseWriter", "Platform", "Codec", "SQLite", "Simulation"]),
        tests(of: "HouseRules", ["Platform"]),
    ]
)
