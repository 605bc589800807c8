import Foundation
import TestSupport
import Testing

/// What each target may use: section 3 of the design. Change it here and there together.
private let arrows: [String: Set<String>] = [
    "CGStreamer": [], "COpenBLAS": [], "CKernels": [], "CLinux": [], "CVideo": [], "CGst": ["CGStreamer"],
    "Tensors": [], "Frames": ["CKernels"], "Scheduling": [],
    "Compute": ["Tensors", "CKernels", "CLinux", "COpenBLAS"],
    "Networks": ["Compute", "Tensors"],
    "Motion": ["Frames", "Compute", "CKernels"],
    "Editing": ["Networks", "Motion", "Compute", "Frames", "CKernels"],
    "LiveEditing": ["Frames", "Scheduling", "CLinux"],
    "Media": ["LiveEditing", "Frames", "Scheduling", "CGst", "CLinux", "CVideo"],
    "CGstMovie": ["CGStreamer"], "GstMoviePlugin": ["GstMovie"],
    "GstMovie": [
        "CGstMovie", "CLinux", "Compute", "Editing", "LiveEditing", "Motion", "Networks", "Scheduling", "Frames",
    ],
    "CMovie": [], "Embedding": ["CMovie", "Editing", "Frames"], "MovieLibrary": ["Embedding"],
    "Service": ["Editing", "Networks", "Compute", "Tensors", "Media", "Motion", "Frames", "Scheduling", "Yams"],
    "movied": ["Service", "Editing", "Networks", "Media", "Frames", "Scheduling", "ArgumentParser"],
    "movie-bench": [
        "Service", "Editing", "Networks", "Compute", "Tensors", "Frames", "CKernels", "CLinux", "Media", "Motion",
        "Scheduling", "ArgumentParser",
    ],
]

/// Where pointers may be written down.
private let unsafeTargets: Set<String> = [
    "Tensors", "Compute", "Networks", "Frames", "Motion", "Editing", "LiveEditing", "Media", "GstMovie",
    "Embedding", "movie-bench",
]
/// The one file of Networks that may: it reads a plan's outputs.
private let unsafeNetworks: Set<String> = ["Networks/PartRunner.swift"]

private let foundationTargets: Set<String> = ["Service", "movied", "movie-bench"]
private let essentialsTargets: Set<String> = ["Tensors", "Networks"]
private let gstreamerTargets: Set<String> = ["CGStreamer", "CGst", "Media", "CGstMovie", "GstMovie"]

@Suite struct ArchitectureTests {
    private let files = SourceFile.all

    @Test func sourcesAreFound() {
        #expect(files.count > 50)
        #expect(Set(files.map(\.target)).isSubset(of: arrows.keys))
    }

    @Test(.enabled(if: Command(inPath: "swift") != nil, "swift is not in PATH"))
    func declaredDependenciesAreTheDesigns() throws {
        var declared: [String: Set<String>] = [:]
        for target in try dumpedTargets() where target["type"] as? String != "test" {
            let isHelper = (target["path"] as? String ?? "").hasPrefix("Tests/")
            guard !isHelper, let name = target["name"] as? String else { continue }
            declared[name] = Set((target["dependencies"] as? [[String: Any]] ?? []).compactMap(dependencyName))
        }
        #expect(Set(declared.keys) == Set(arrows.keys))
        for (name, dependencies) in declared {
            #expect(dependencies == arrows[name], "the dependencies of \(name)")
        }
    }

    @Test func arrowsHaveNoCircle() {
        var left = arrows.mapValues { $0.intersection(arrows.keys) }
        while let leaf = left.first(where: { $0.value.isEmpty })?.key {
            left[leaf] = nil
            for key in left.keys { left[key]?.remove(leaf) }
        }
        #expect(left.isEmpty, "a circle: \(left.keys.sorted())")
    }

    @Test func importsAreDeclared() {
        for file in files {
            let names = file.imports.map { $0.hasSuffix(".h") ? String($0.dropLast(2)) : $0 }
            let ours = names.filter { arrows[$0] != nil }
            let undeclared = Set(ours).subtracting([file.target]).subtracting(arrows[file.target] ?? [])
            #expect(undeclared.isEmpty, "\(file.name) uses \(undeclared.sorted())")
        }
    }

    @Test func onlyMediaSeesGStreamer() {
        for file in files where !gstreamerTargets.contains(file.target) {
            let seen = file.imports.filter { $0.hasPrefix("gst/") || ["CGst", "CGStreamer"].contains($0) }
            #expect(seen.isEmpty, "\(file.name) sees GStreamer: \(seen)")
        }
    }

    @Test func mediaAndNetworksDoNotKnowEachOther() {
        #expect(!reachable(from: "Media").contains("Networks") && !reachable(from: "Networks").contains("Media"))
    }

    @Test func foundationStaysAbove() {
        for file in files where file.isSwift {
            let isWhole = file.imports.contains("Foundation"), isPart = file.imports.contains("FoundationEssentials")
            #expect(!isWhole || foundationTargets.contains(file.target), "\(file.name)")
            #expect(!isPart || essentialsTargets.contains(file.target), "\(file.name)")
        }
    }

    @Test func pointersStayBelow() {
        let users = files.filter { $0.isSwift && $0.code.contains(#/Unsafe|unsafeBitCast|Unmanaged/#) }
        #expect(Set(users.map(\.target)) == unsafeTargets)
        #expect(Set(users.filter { $0.target == "Networks" }.map(\.name)) == unsafeNetworks)
    }

    @Test func nothingMayCrash() {
        let traps = #/\b(?:fatalError|preconditionFailure|assertionFailure|unsafelyUnwrapped)\b|[\w)\]?]!(?!=)/#
        for file in files where file.isSwift {
            let found = file.code.matches(of: traps).map { String($0.0) }
            #expect(found.isEmpty, "\(file.name): \(found)")
        }
    }

    @Test func filesStayShort() {
        for file in files { #expect(file.lineCount <= 400, "\(file.name) has \(file.lineCount) lines") }
    }

    @Test func codeIsWhatIsLeft() {
        let text = "a! /* b! */ \"c! \\\" d!\" // e!\nf \"\"\"\n g! \"h!\"\n\"\"\" i"
        #expect(withoutCommentsAndStrings(text) == "a!   \"\"  \nf \"\" i")
    }

    @Test(.enabled(if: Command(inPath: "swift") != nil, "swift is not in PATH"))
    func lintIsClean() throws {
        let swift = try #require(Command(inPath: "swift"))
        guard try swift.run(["format", "--version"]).status == 0 else { return }  // a toolchain without it
        let paths = ["Sources", "Tests", "Package.swift"].map { "\(repository)/\($0)" }
        let configuration = ["--configuration", "\(repository)/.swift-format"]
        let result = try swift.run(["format", "lint", "--strict", "--parallel", "--recursive"] + configuration + paths)
        let lines = result.errors.split(separator: "\n").map { $0.replacing("\(repository)/", with: "") }
        #expect(result.status == 0, "\(lines.prefix(20).joined(separator: "\n"))")
    }

    private func reachable(from target: String) -> Set<String> {
        (arrows[target] ?? []).reduce(into: []) { $0.formUnion(reachable(from: $1).union([$1])) }
    }

    private func dependencyName(_ dependency: [String: Any]) -> String? {
        (dependency["byName"] as? [Any])?.first as? String ?? (dependency["product"] as? [Any])?.first as? String
            ?? (dependency["target"] as? [Any])?.first as? String
    }

    private func dumpedTargets() throws -> [[String: Any]] {
        let swift = try #require(Command(inPath: "swift"))
        let folder = TemporaryFolder()  // `swift test` holds the lock of the usual one
        let arguments = ["--package-path", repository, "--scratch-path", folder.path, "dump-package"]
        let result = try swift.run(["package"] + arguments)
        let package = try JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any]
        return try #require(package?["targets"] as? [[String: Any]], "\(result.errors)")
    }
}
