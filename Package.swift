// swift-tools-version: 6.2
import PackageDescription

// Which target may import which is decided in ARCHITECTURE.md; the compiler enforces it through this list.

/// Whether the package in `Fuzz/` is built, which wants the readers instrumented; see scripts/fuzz.
let isFuzzing = Context.environment["TESSERA_FUZZ"] != nil

let strict: [SwiftSetting] =
  [
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("ExistentialAny"),
  ] + (isFuzzing ? [.unsafeFlags(["-sanitize=fuzzer"])] : [])

func library(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
  .target(name: name, dependencies: dependencies, swiftSettings: strict)
}

func tests(
  _ name: String, _ dependencies: [Target.Dependency] = [], exclude: [String] = []
) -> Target {
  .testTarget(
    name: name + "Tests",
    dependencies: [.init(stringLiteral: name), "_TestSupport"] + dependencies, exclude: exclude,
    swiftSettings: strict)
}

let package = Package(
  name: "Tessera",
  products: [
    .library(name: "Tessera", targets: ["Tessera"]),
    .executable(name: "tessera", targets: ["TesseraCLI"]),
  ] + (isFuzzing ? [.library(name: "Readers", targets: ["ModelFiles"])] : []),
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
  ],
  targets: [
    // MARK: - Public API
    library(
      "Tessera",
      [
        "Tensors", "NumberFormats", "Graphs", "ModelFiles", "Datasets", "Execution", "Compression",
        "Evaluation",
      ]),
    .executableTarget(
      name: "TesseraCLI",
      dependencies: [
        "Tessera", .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      swiftSettings: strict),

    // MARK: - Layers, lowest first
    .target(
      name: "CKernels", cSettings: [.define("NDEBUG", .when(configuration: .release))]),
    library("Tensors", ["CKernels"]),
    library("NumberFormats", ["Tensors"]),
    library("Graphs", ["Tensors", "NumberFormats"]),
    library("ModelFiles", ["Graphs", "NumberFormats", "Tensors"]),
    .target(
      name: "CImageCodecs", dependencies: ["CJPEG", "CPNG"],
      linkerSettings: [.linkedLibrary("jpeg"), .linkedLibrary("png")]),
    library("Datasets", ["Graphs", "NumberFormats", "Tensors", "Yams", "CImageCodecs", "CZlib"]),
    library("Execution", ["Graphs", "NumberFormats", "Tensors"]),
    library(
      "Compression", ["Datasets", "Execution", "Graphs", "NumberFormats", "Tensors", "Yams"]),
    library("Evaluation", ["Execution", "Datasets", "Graphs", "NumberFormats", "Tensors"]),

    // MARK: - System libraries
    .systemLibrary(name: "CJPEG", pkgConfig: "libjpeg", providers: [.apt(["libjpeg62-turbo-dev"])]),
    .systemLibrary(name: "CPNG", pkgConfig: "libpng", providers: [.apt(["libpng-dev"])]),
    .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),

    // MARK: - Benchmarks
    .executableTarget(
      name: "kernel-benchmark", dependencies: ["CKernels"], path: "Benchmarks/Kernels",
      swiftSettings: strict),
    .executableTarget(
      name: "accuracy-benchmark", dependencies: ["Tessera"], path: "Benchmarks/Accuracy",
      swiftSettings: strict),
    .target(name: "CountedMemory", path: "Benchmarks/CountedMemory"),
    .executableTarget(
      name: "allocation-benchmark", dependencies: ["Tessera", "CountedMemory"],
      path: "Benchmarks/Allocations", swiftSettings: strict),
    .executableTarget(
      name: "calibration-benchmark", dependencies: ["Tessera"], path: "Benchmarks/Calibration",
      swiftSettings: strict),

    // MARK: - Tests
    .target(
      name: "_TestSupport", dependencies: ["Tensors", "Graphs"], path: "Tests/_TestSupport",
      swiftSettings: strict),
    tests("Tensors", ["CKernels"]),
    tests("NumberFormats", ["Datasets", "Tensors"]),
    tests("Graphs", ["NumberFormats", "Tensors"]),
    tests("ModelFiles", ["Graphs", "Tensors"], exclude: ["FailCases"]),
    tests("Datasets", ["Tensors"]),
    tests("Execution", ["Graphs", "NumberFormats", "Tensors", "ModelFiles", "Datasets"]),
    tests("Compression", ["Execution", "Graphs", "NumberFormats", "Tensors"]),
    tests("Evaluation", ["Execution", "Datasets", "Graphs", "ModelFiles", "Tensors"]),
    tests("Tessera"),
    tests("TesseraCLI", ["Datasets", "Tensors"]),
  ],
  swiftLanguageModes: [.v6]
)
