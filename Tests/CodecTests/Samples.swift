import Glibc
import Testing

/// SplitMix64: the same seed gives the same numbers everywhere.
struct Seeded: RandomNumberGenerator {
    private var state: UInt64

    init(_ seed: UInt64) {
        state = seed
    }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var word = state
        word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
        word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
        return word ^ (word >> 31)
    }

    /// Bytes that no compressor shortens.
    mutating func bytes(_ count: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(count + 8)
        while bytes.count < count {
            withUnsafeBytes(of: next().littleEndian) { bytes.append(contentsOf: $0) }
        }
        bytes.removeLast(bytes.count - count)
        return bytes
    }
}

/// Kinds of content that compress differently.
enum Content: CaseIterable, CustomTestStringConvertible {
    case zero, text, noise, cycle, code, database, mixed

    var testDescription: String { "\(self)" }

    /// The first bytes of the kind.
    func bytes(_ count: Int) -> [UInt8] {
        Array(Content.whole[self, default: []].prefix(count))
    }

    static let largest = 2 << 20

    private static let whole = Dictionary(
        uniqueKeysWithValues: allCases.map { ($0, $0.generate(largest)) })

    private func generate(_ count: Int) -> [UInt8] {
        var random = Seeded(7)
        switch self {
        case .zero: return [UInt8](repeating: 0, count: count)
        case .noise: return random.bytes(count)
        case .cycle: return repeated(Array(0...UInt8.max), count)
        case .text: return grown(count) { Content.words.randomElement(using: &random) ?? [] }
        case .code: return grown(count) { instruction(&random) }
        case .database: return grown(count) { page(&random) }
        case .mixed:
            let noise = Seeded(9)
            return grown(count) {
                var noise = noise
                return random.next() % 2 == 0 ? noise.bytes(700) : Array("between noise \n".utf8)
            }
        }
    }

    private static let words = [
        "backup ", "page ", "commit ", "the ", "of ", "restored ", "a ", "database, ", "file.\n",
    ].map { Array($0.utf8) }

    private func grown(_ count: Int, _ piece: () -> [UInt8]) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(count + 8192)
        while bytes.count < count { bytes.append(contentsOf: piece()) }
        bytes.removeLast(bytes.count - count)
        return bytes
    }

    private func repeated(_ unit: [UInt8], _ count: Int) -> [UInt8] {
        grown(count) { unit }
    }

    /// Few opcodes, small displacements, addresses that share their upper bytes.
    private func instruction(_ random: inout Seeded) -> [UInt8] {
        let word = random.next()
        let opcode = [0x48, 0x8B, 0x0F, 0xE8, 0x89, 0x83, 0x74, 0xC3][Int(word & 7)] as UInt8
        let register = UInt8(truncatingIfNeeded: 0xC0 | word >> 8 & 0x3F)
        switch word >> 60 {
        case 0...9: return [opcode, register]
        case 10...12: return [opcode, register, UInt8(truncatingIfNeeded: word >> 16 & 0x7F)]
        default:
            let low = UInt8(truncatingIfNeeded: word >> 16)
            return [opcode, low, UInt8(truncatingIfNeeded: word >> 24 & 15), 0, 0]
        }
    }

    /// A b-tree page: cell pointers, a gap, rows with a random number and a text.
    private func page(_ random: inout Seeded) -> [UInt8] {
        var page = [UInt8](repeating: 0, count: 4096)
        page[0] = 13
        var (end, slot) = (4096, 8)
        while end > slot + 80 {
            let row = random.bytes(12) + Array("user@example.com 2024-05-17 active".utf8)
            end -= row.count
            page.replaceSubrange(end..<end + row.count, with: row)
            (page[slot], page[slot + 1]) = (UInt8(end >> 8), UInt8(end & 255))
            slot += 2
        }
        return page
    }
}

/// Memory whose end is followed by a page that must not be touched: an access beyond it ends the
/// test process.
struct GuardedMemory: ~Copyable {
    private static let pageSize = 4096

    private let base: UnsafeMutableRawPointer
    private let usable: Int

    /// - Parameter capacity: the most bytes ``last(_:)`` is asked for.
    init(capacity: Int) {
        usable =
            (capacity + GuardedMemory.pageSize - 1) / GuardedMemory.pageSize
            * GuardedMemory.pageSize
        let whole = usable + GuardedMemory.pageSize
        let protection = PROT_READ | PROT_WRITE
        guard let base = mmap(nil, whole, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
            base != MAP_FAILED, mprotect(base + usable, GuardedMemory.pageSize, PROT_NONE) == 0
        else { fatalError("no guarded memory") }
        self.base = base
    }

    deinit {
        munmap(base, usable + GuardedMemory.pageSize)
    }

    /// The bytes just before the guard.
    func last(_ count: Int) -> UnsafeMutableRawBufferPointer {
        UnsafeMutableRawBufferPointer(start: base + (usable - count), count: count)
    }

    /// The bytes, copied to just before the guard.
    func holding(_ bytes: [UInt8]) -> UnsafeRawBufferPointer {
        let target = last(bytes.count)
        bytes.withUnsafeBytes { target.copyMemory(from: $0) }
        return UnsafeRawBufferPointer(target)
    }
}

extension [UInt8] {
    /// Changes one to three bytes, cuts the end off, or adds to it.
    mutating func mutate(with random: inout Seeded) {
        let choice = random.next() % 8
        if choice == 0 || isEmpty {
            append(UInt8(truncatingIfNeeded: random.next()))
        } else if choice == 1 {
            removeLast(Int(random.next() % UInt64(count)) + 1)
        } else {
            for _ in 0...random.next() % 3 {
                let place = Int(random.next() % UInt64(count))
                self[place] ^= UInt8(truncatingIfNeeded: random.next() % 255 + 1)
            }
        }
    }
}
