/// Tells data that no compressor can shorten by a look at a few bytes of it.
///
/// What was compressed or encrypted uses all byte values about equally often: the probability that
/// two sampled bytes are equal is little more than 1/256. Text has ten times that, machine code
/// and pages of databases more than twice. The samples are spread, so that a header or a thumbnail
/// does not decide; a tenth of text among noise already shows.
enum IncompressibilityProbe {
    /// Below this, compressing takes little longer than looking.
    static let smallestInput = 4 << 10
    private static let places = 16
    private static let placeBytes = 128
    private static let sampled = places * placeBytes
    /// How often bytes may be equal, in units of 1/256. Noise stays within 0.95 and 1.05, what
    /// deflate, JPEG and WOFF2 make mostly within 1.12; no library, program, text or database
    /// page of a whole system came that low.
    private static let tolerance = 1.12

    /// Whether compressing is a waste of time.
    static func isHopeless(_ input: UnsafeRawBufferPointer) -> Bool {
        guard input.count >= smallestInput else { return false }
        return Double(equalPairs(in: input)) * 256 < tolerance * Double(sampled * (sampled - 1))
    }

    /// Ordered pairs of different sampled bytes that have the same value.
    private static func equalPairs(in input: UnsafeRawBufferPointer) -> Int {
        withUnsafeTemporaryAllocation(of: UInt16.self, capacity: 256) { counts in
            counts.initialize(repeating: 0)
            let step = (input.count - placeBytes) / (places - 1)
            for place in 0..<places {
                for index in place * step..<place * step + placeBytes {
                    counts[Int(input[index])] &+= 1
                }
            }
            return counts.reduce(0) { $0 + Int($1) * (Int($1) - 1) }
        }
    }
}
