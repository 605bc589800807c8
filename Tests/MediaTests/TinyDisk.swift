import Foundation
import Testing

/// A file system of a few kilobytes.
final class TinyDisk {
    private let shop: Workshop
    var folder: String { shop.folder }
    var files: [String] { shop.files }

    static let isAvailable: Bool = (try? TinyDisk(kilobytes: 64)) != nil

    init(kilobytes: Int) throws {
        shop = try Workshop()
        let command = ["mount", "-t", "tmpfs", "-o", "size=\(kilobytes)k", "tmpfs", shop.folder]
        try #require(getuid() == 0 && Tool.run(command).status == 0, "mount failed")
    }

    deinit { Tool.run(["umount", "-l", shop.folder]) }
}
