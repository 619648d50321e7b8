/// The name of the file that is a claim: `NUMBER-LEASE`.
struct ClaimName {
    let number: UInt64
    let lease: LeaseID

    init(_ number: UInt64, _ lease: LeaseID) {
        self.number = number
        self.lease = lease
    }

    init?(listed name: String) {
        let parts = name.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 2, let number = UInt64(parts[0]),
            let lease = LeaseID(listed: String(parts[1]))
        else { return nil }
        self.init(number, lease)
    }

    var text: String { "\(number)-\(lease)" }
}
