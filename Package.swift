// swift-tools-version:6.1
import PackageDescription

// Micro-kernels are always optimized: a debug build of the tests would otherwise crawl.
let kernelFlags: [CSetting] = [.unsafeFlags(["-O3"], .when(configuration: .debug))]

// Libraries that other programs load carry the Swift runtime inside them. Only their shells may say so: a target that
// tests link would bring a second runtime into the test program.
func selfContained(_ target: String) -> [LinkerSetting] {
    let exports = "\(Context.packageDirectory)/Sources/\(target)/exports.map"
    return [
        .unsafeFlags(["-static-stdlib", "-Xlinker", "--version-script=\(exports)"]),
        .unsafeFlags(["-Xlinker", "--strip-all"], .when(configuration: .release)),
        .linkedLibrary("_FoundationCollections"), .linkedLibrary("_FoundationCShims"),
    ]
}

let package = Package(
    name: "movied",
    products: [
        .executable(name: "movied", targets: ["movied"]),
        .executable(name: "movie-bench", targets: ["movie-bench"]),
        .library(name: "gstmovie", type: .dynamic, targets: ["GstMoviePlugin"]),
        .library(name: "movie", type: .dynamic, targets: ["MovieLibrary"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.0"),
    ],
    targets: [
        // Flags of pkg-config only; the headers are empty. CGst carries what Swift imports.
        .systemLibrary(
            name: "CGStreamer", pkgConfig: "gstreamer-1.0",
            providers: [.apt(["libgstreamer1.0-dev", "libgstreamer-plugins-base1.0-dev"])]),
        .systemLibrary(name: "COpenBLAS", pkgConfig: "openblas", providers: [.apt(["libopenblas-dev"])]),

        .target(name: "CKernels", cSettings: kernelFlags),
        .target(
            name: "CGst", dependencies: ["CGStreamer"],
            linkerSettings: ["gstapp-1.0", "gstvideo-1.0", "gstpbutils-1.0"].map { .linkedLibrary($0) }),
        .target(name: "CLinux"),
        .target(name: "CVideo", linkerSettings: [.linkedLibrary("v4l2")]),

        .target(name: "Tensors"),
        .target(name: "Compute", dependencies: ["Tensors", "CKernels", "CLinux", "COpenBLAS"]),
        .target(name: "Networks", dependencies: ["Compute", "Tensors"]),
        .target(name: "Frames", dependencies: ["CKernels"]),
        .target(name: "Motion", dependencies: ["Frames", "Compute", "CKernels"]),
        .target(name: "Editing", dependencies: ["Networks", "Motion", "Compute", "Frames", "CKernels"]),
        .target(name: "Scheduling"),
        .target(name: "LiveEditing", dependencies: ["Frames", "Scheduling", "CLinux"]),
        .target(name: "Media", dependencies: ["LiveEditing", "Frames", "Scheduling", "CGst", "CLinux", "CVideo"]),
        .target(
            name: "CGstMovie", dependencies: ["CGStreamer"],
            linkerSettings: ["gstvideo-1.0", "gstbase-1.0"].map { .linkedLibrary($0) }),
        .target(
            name: "GstMovie",
            dependencies: [
                "CGstMovie", "CLinux", "Compute", "Editing", "LiveEditing", "Motion", "Networks", "Scheduling",
                "Frames",
            ]),
        .target(
            name: "GstMoviePlugin", dependencies: ["GstMovie"], exclude: ["exports.map"],
            linkerSettings: selfContained("GstMoviePlugin")),
        .target(name: "CMovie"),
        .target(name: "Embedding", dependencies: ["CMovie", "Editing", "Frames"]),
        .target(
            name: "MovieLibrary", dependencies: ["Embedding"], exclude: ["exports.map"],
            linkerSettings: selfContained("MovieLibrary")),
        .target(
            name: "Service",
            dependencies: [
                "Editing", "Networks", "Compute", "Tensors", "Media", "Motion", "Frames", "Scheduling",
                .product(name: "Yams", package: "Yams"),
            ]),
        .executableTarget(
            name: "movied",
            dependencies: [
                "Service", "Editing", "Networks", "Media", "Frames", "Scheduling",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ]),

        .executableTarget(
            name: "movie-bench",
            dependencies: [
                "Service", "Editing", "Networks", "Compute", "Tensors", "Frames", "CKernels", "Media", "Motion",
                "Scheduling", "CLinux",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ]),

        .target(name: "TestSupport", dependencies: ["Tensors", "Frames"], path: "Tests/TestSupport"),
        .testTarget(name: "TensorsTests", dependencies: ["Tensors", "TestSupport"]),
        .target(
            name: "CKernelChecks", dependencies: ["CKernels"], path: "Tests/CKernelChecks",
            cSettings: [.headerSearchPath("../../Sources/CKernels")]),
        .testTarget(
            name: "ComputeTests", dependencies: ["Compute", "CKernels", "CKernelChecks", "TestSupport"],
            exclude: ["Fixtures"]),
        .testTarget(
            name: "NetworksTests", dependencies: ["Networks", "TestSupport"], exclude: ["Fixtures"]),
        .target(name: "CAllocationCounter", path: "Tests/CAllocationCounter"),
        .testTarget(name: "EditingTests", dependencies: ["Editing", "CAllocationCounter", "TestSupport"]),
        .testTarget(
            name: "MotionTests", dependencies: ["Motion", "Compute", "CKernels", "CAllocationCounter", "TestSupport"]),
        .testTarget(name: "SchedulingTests", dependencies: ["Scheduling", "CAllocationCounter"]),
        .testTarget(name: "LiveEditingTests", dependencies: ["LiveEditing", "CAllocationCounter"]),
        .testTarget(name: "FramesTests", dependencies: ["Frames", "TestSupport"]),
        .testTarget(
            name: "MediaTests",
            dependencies: ["Media", "Scheduling", "Frames", "CVideo", "CGst", "CAllocationCounter", "TestSupport"]),
        .target(
            name: "CGstHarness", dependencies: ["CGstMovie"], path: "Tests/CGstHarness",
            linkerSettings: ["gstcheck-1.0", "gstcontroller-1.0"].map { .linkedLibrary($0) }),
        .testTarget(
            name: "GstMovieTests",
            dependencies: ["GstMovie", "CGstHarness", "Embedding", "CAllocationCounter", "TestSupport"],
            exclude: ["Tools"]),
        .testTarget(name: "ServiceTests", dependencies: ["Service", "movied", "movie-bench", "TestSupport"]),
        .testTarget(name: "ArchitectureTests", dependencies: ["TestSupport"]),
    ],
    swiftLanguageModes: [.v6]
)
