// swift-tools-version: 6.2
import Foundation
import PackageDescription

// Coverage-guided fuzzing with libFuzzer, a package of its own because instrumented code needs unsafe flags.
// Run it through `scripts/fuzz`, which says where the toolchain's libFuzzer is.

let runtime = ProcessInfo.processInfo.environment["TESSERA_FUZZ_RUNTIME"] ?? ""

let package = Package(
  name: "Fuzz",
  dependencies: [.package(name: "Tessera", path: "..")],
  targets: [
    .target(name: "CFuzz"),
    .executableTarget(
      name: "FuzzONNX",
      dependencies: ["CFuzz", .product(name: "Readers", package: "Tessera")],
      // Without it, what is inlined from the library would not be instrumented.
      swiftSettings: [.unsafeFlags(["-sanitize=fuzzer"])],
      linkerSettings: [
        .unsafeFlags([runtime]), .linkedLibrary("stdc++"), .linkedLibrary("m"),
      ]),
  ],
  swiftLanguageModes: [.v6]
)
