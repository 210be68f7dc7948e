// swift-tools-version: 6.2
import PackageDescription

// Which target may import which is decided in ARCHITECTURE.md; the compiler enforces it through this list.

let strict: [SwiftSetting] = [
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("ExistentialAny"),
]

func library(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
  .target(name: name, dependencies: dependencies, swiftSettings: strict)
}

func tests(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
  .testTarget(
    name: name + "Tests",
    dependencies: [.init(stringLiteral: name), "_TestSupport"] + dependencies,
    swiftSettings: strict)
}

let package = Package(
  name: "Tessera",
  products: [
    .library(name: "Tensors", targets: ["Tensors"])
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
  ],
  targets: [
    // MARK: - Layers, lowest first
    .target(
      name: "CKernels", cSettings: [.define("NDEBUG", .when(configuration: .release))]),
    library("Tensors", ["CKernels"]),


    // MARK: - Tests
    .target(
      name: "_TestSupport", dependencies: ["Tensors"], path: "Tests/_TestSupport",
      swiftSettings: strict),
    tests("Tensors", ["CKernels"]),
  ],
  swiftLanguageModes: [.v6]
)
