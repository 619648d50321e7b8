import Glibc
import Synchronization

/// Names of users and groups by number and back, each asked of the system once.
///
/// A name that is not UTF-8 is mended. Source: getpwuid_r(3), getgrgid_r(3).
package final class AccountNames: Sendable {
    private struct Known {
        var users: [UInt32: String?] = [:]
        var groups: [UInt32: String?] = [:]
        var userIDs: [String: UInt32?] = [:]
        var groupIDs: [String: UInt32?] = [:]
    }

    private let known = Mutex(Known())

    package init() {}

    /// Nil where no such user has a name.
    package func userName(of id: UInt32) -> String? {
        known.withLock { known in
            AccountNames.remembered(id, in: &known.users) {
                AccountNames.record(passwd(), { getpwuid_r(id, $0, $1, $2, $3) }) { record in
                    record.pw_name.map { String(cString: $0) }
                }
            }
        }
    }

    /// Nil where no such group has a name.
    package func groupName(of id: UInt32) -> String? {
        known.withLock { known in
            AccountNames.remembered(id, in: &known.groups) {
                AccountNames.record(group(), { getgrgid_r(id, $0, $1, $2, $3) }) { record in
                    record.gr_name.map { String(cString: $0) }
                }
            }
        }
    }

    /// Nil where nobody has the name.
    package func userID(named name: String) -> UInt32? {
        known.withLock { known in
            AccountNames.remembered(name, in: &known.userIDs) {
                AccountNames.record(passwd(), { getpwnam_r(name, $0, $1, $2, $3) }) { $0.pw_uid }
            }
        }
    }

    /// Nil where no group has the name.
    package func groupID(named name: String) -> UInt32? {
        known.withLock { known in
            AccountNames.remembered(name, in: &known.groupIDs) {
                AccountNames.record(group(), { getgrnam_r(name, $0, $1, $2, $3) }) { $0.gr_gid }
            }
        }
    }

    private static func remembered<Key, Value>(
        _ key: Key, in table: inout [Key: Value?], _ ask: () -> Value?
    ) -> Value? {
        if let answer = table[key] { return answer }
        let answer = ask()
        table[key] = .some(answer)
        return answer
    }

    private typealias Call<Record> = (
        UnsafeMutablePointer<Record>, UnsafeMutablePointer<CChar>, Int,
        UnsafeMutablePointer<UnsafeMutablePointer<Record>?>
    ) -> CInt

    /// Calls with more and more room for the record's strings until they fit.
    private static func record<Record, Value>(
        _ empty: Record, _ call: Call<Record>, _ read: (Record) -> Value?
    ) -> Value? {
        var size = 1024
        while size <= 1 << 20 {
            var record = empty
            var found: UnsafeMutablePointer<Record>?
            var result: CInt = 0
            // The record points into the buffer, so it is read before the buffer goes.
            let value = withUnsafeTemporaryAllocation(of: CChar.self, capacity: size) {
                buffer -> Value? in
                guard let start = buffer.baseAddress else { return nil }
                result = call(&record, start, buffer.count, &found)
                return found == nil ? nil : read(record)
            }
            if result == EINTR { continue }
            if result != ERANGE { return value }
            size *= 4
        }
        return nil
    }
}
