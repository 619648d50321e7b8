import Glibc
import Platform

extension SeededRandomness {
    /// Bytes that were hurt in one to four ways: a flipped bit, a byte or a run that is another, is
    /// gone or there twice, a cut, or a number too large for anything.
    package func mutated(_ bytes: [UInt8]) -> [UInt8] {
        var mutated = bytes
        for _ in 0...below(4) { mutate(&mutated) }
        return mutated
    }

    private func mutate(_ bytes: inout [UInt8]) {
        let index = below(bytes.count)
        guard !bytes.isEmpty else { return bytes = self.bytes(below(40)) }
        let run = index..<min(bytes.count, index + 1 + below(40))
        switch below(9) {
        case 0: bytes[index] ^= 1 << UInt8(below(8))
        case 1: bytes[index] = [0, 1, 0x7F, 0x80, 0xFF][below(5)]
        case 2: bytes[index] = UInt8(truncatingIfNeeded: next())
        case 3: bytes.removeSubrange(run)
        case 4: bytes.insert(contentsOf: bytes[run], at: below(bytes.count))
        case 5: bytes.removeSubrange(index...)
        case 6: bytes.insert(contentsOf: self.bytes(1 + below(20)), at: index)
        case 7: bytes.replaceSubrange(index...index, with: hugeNumber())
        default: bytes.swapAt(index, below(bytes.count))
        }
    }

    /// A varint of 2^28 and more.
    private func hugeNumber() -> [UInt8] {
        let length = 5 + below(6)
        var bytes = [UInt8](repeating: 0xFF, count: length)
        bytes[length - 1] = 1
        return bytes
    }
}

/// Every decoder answers hurt bytes with an error, or reads them as something that is valid; it
/// never crashes, hangs or asks for much memory.
package enum DecoderTrial {
    package typealias Decoder = (_ bytes: [UInt8]) throws -> Void

    package static let rounds = TestShare.count(share: 9_000, whole: 120_000)
    private static let memoryLimit = 2 << 30

    /// What is wrong with decoders, each of which comes with bytes that it reads.
    package static func findings(
        of decoders: [(name: String, sample: [UInt8], decode: Decoder)], seed: UInt64
    ) -> [String] {
        let before = AddressSpace.peak
        var findings: [String] = []
        for (number, decoder) in decoders.enumerated() {
            let seed = seed + UInt64(number)
            if let error = failure(of: decoder.decode, decoder.sample) {
                findings.append("\(decoder.name) refuses its sample: \(error)")
            }
            let random = SeededRandomness(seed: seed)
            let refused = (0..<rounds).count { _ in
                failure(of: decoder.decode, random.mutated(decoder.sample)) != nil
            }
            guard refused <= rounds / 20 else { continue }
            findings.append("\(decoder.name), seed \(seed): refused \(refused) of \(rounds)")
        }
        let growth = AddressSpace.peak - before
        return findings + (growth < memoryLimit ? [] : ["\(growth) bytes of memory"])
    }

    private static func failure(of decode: Decoder, _ bytes: [UInt8]) -> (any Error)? {
        do {
            try decode(bytes)
            return nil
        } catch {
            return error
        }
    }
}

/// Watches how much memory a process ever asked for.
package enum AddressSpace {
    /// The most bytes of address space the process has had; 0 where nobody says.
    package static var peak: Int {
        guard let file = fopen("/proc/self/status", "r") else { return 0 }
        defer { fclose(file) }
        var line = [CChar](repeating: 0, count: 256)
        while fgets(&line, 256, file) != nil {
            let text = String(
                decoding: line.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
            guard text.hasPrefix("VmPeak:") else { continue }
            return Int(text.filter(\.isNumber)).map { $0 << 10 } ?? 0
        }
        return 0
    }
}
