/// Ends the program where libcrypto fails at what cannot fail: memory is exhausted, or the library
/// lacks an algorithm every build has. Nothing that is read from outside leads here.
func demand(_ condition: Bool, _ operation: StaticString) {
    guard condition else { fatalError("libcrypto: \(operation) failed") }
}
