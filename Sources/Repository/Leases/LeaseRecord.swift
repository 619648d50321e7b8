import Codec
package import Platform

/// What the holder of a lease says of itself.
package struct LeaseRecord: Sendable {
    /// Counts renewals; an observer sees by it that the holder lives.
    package var generation: UInt64
    /// The command that holds it.
    package let purpose: String
    package let host: String
    package let taken: Timestamp
    /// The process, where one of the same host can look.
    package let process: ProcessIdentity
    /// The PID namespace: process ids mean nothing outside it.
    package let namespace: String
    /// The marks that the holder has read, and to which it refers by nothing it writes.
    package var honours = HonouredMarks()

    /// The most bytes a lease may have: it may name many marks.
    package static let sizeLimit = 256 << 10

    package init(
        generation: UInt64, purpose: String, host: String, taken: Timestamp,
        process: ProcessIdentity, namespace: String
    ) {
        self.generation = generation
        self.purpose = purpose
        self.host = host
        self.taken = taken
        self.process = process
        self.namespace = namespace
    }

    package var encoded: [UInt8] {
        ControlFile(
            kind: "lease",
            fields: [
                ("generation", "\(generation)"), ("purpose", purpose), ("host", host),
                ("taken", "\(taken.seconds)"), ("boot", process.bootID.hex),
                ("namespace", namespace), ("process", "\(process.pid)"),
                ("started", "\(process.startTime)"),
            ] + honours.fields
        ).encoded
    }

    package init(_ bytes: [UInt8], location: String) throws {
        let file = try ControlFile(
            bytes, kind: "lease", location: location, limit: LeaseRecord.sizeLimit)
        generation = try file.number("generation", in: location)
        purpose = try file.value("purpose", in: location)
        host = try file.value("host", in: location)
        taken = Timestamp(
            seconds: Int64(clamping: try file.number("taken", in: location)), nanoseconds: 0)
        namespace = try file.value("namespace", in: location)
        process = ProcessIdentity(
            bootID: try file.bytes("boot", count: 16, in: location),
            pid: Int32(clamping: try file.number("process", in: location)),
            startTime: try file.number("started", in: location))
        honours = try HonouredMarks(file, in: location)
    }

    /// What a lease says, or nil where it is damaged: then only time tells whether it lives.
    package static func readable(_ bytes: [UInt8], of lease: LeaseID) -> LeaseRecord? {
        do {
            return try LeaseRecord(bytes, location: "leases/\(lease)")
        } catch {
            return nil
        }
    }

    /// `backup on alpha, process 4711`, for messages.
    package var holder: String { "\(purpose) on \(host), process \(process.pid)" }
}
