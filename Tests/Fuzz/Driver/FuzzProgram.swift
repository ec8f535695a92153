import CFuzzer
import FuzzTargets

/// libFuzzer around the target that the environment variable `FUZZ` names. Arguments are libFuzzer's own.
///
/// By environment, because libFuzzer starts itself again for some of its work and passes on its own arguments alone.
@main enum FuzzProgram {
  private static let target: FuzzTarget = {
    guard let target = FuzzTarget.chosen else {
      fatalError("FUZZ must name one of: \(FuzzTarget.all.map(\.name).joined(separator: " "))")
    }
    return target
  }()

  static func main() {
    _ = target
    var count = CommandLine.argc
    var arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>? = unsafe CommandLine.unsafeArgv
    let status = unsafe LLVMFuzzerRunDriver(&count, &arguments) { data, size in
      // An array of exactly that size, so that the address sanitizer sees the first byte read behind it.
      let bytes = unsafe [UInt8](UnsafeRawBufferPointer(start: data, count: size))
      do { try FuzzProgram.target.run(bytes) } catch { fatalError("\(error)") }
      return 0
    }
    precondition(status == 0)
  }
}
