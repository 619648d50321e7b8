import Platform
import Synchronization

/// Chance that a seed replays: SplitMix64. Not for keys.
///
/// Source: Steele, Lea, Flood, "Fast splittable pseudorandom number generators" (2014).
package final class SeededRandomness: Randomness {
    package let seed: UInt64
    private let state: Mutex<UInt64>

    package init(seed: UInt64) {
        self.seed = seed
        state = Mutex(seed)
    }

    package func next() -> UInt64 {
        state.withLock { state in
            state &+= 0x9E37_79B9_7F4A_7C15
            var mixed = state
            mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
            mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
            return mixed ^ (mixed >> 31)
        }
    }

    /// 0 up to, without, a limit of at least 1.
    package func below(_ limit: Int) -> Int {
        Int(next() % UInt64(max(limit, 1)))
    }

    /// True so many times in so many.
    package func chance(_ times: Int, in total: Int) -> Bool {
        below(total) < times
    }

    package func fill(_ buffer: UnsafeMutableRawBufferPointer) {
        var word: UInt64 = 0
        for index in buffer.indices {
            if index % 8 == 0 { word = next() }
            buffer[index] = UInt8(truncatingIfNeeded: word >> (8 * UInt64(index % 8)))
        }
    }
}
