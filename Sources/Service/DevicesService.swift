import Foundation
import Media

/// Lists cameras and virtual cameras, as `movied devices` does.
public enum DevicesService {
    /// Prints what there is; as JSON for programs, else for people.
    public static func run(json: Bool) throws {
        let found = DeviceCatalog.devices().map { DeviceRecord($0, modes: $0.isCamera ? modes(of: $0) : []) }
        let list = DeviceList(
            devices: found,
            unreadable: DeviceCatalog.unreadable().map { DeviceList.Unreadable(path: $0.path, reason: $0.reason) })
        if json { return print(try list.json()) }
        list.lines.forEach { print($0) }
    }

    private static func modes(of device: VideoDevice) -> [VideoMode] { DeviceCatalog.modes(of: device.path) }
}

/// A device as `movied devices --json` writes it.
public struct DeviceRecord: Encodable, Sendable {
    struct Mode: Encodable, Sendable {
        let format: String
        let width: Int
        let height: Int
        /// Frames a second, the quickest first.
        let rates: [Double]
        /// Whether movied can ask for it.
        let usable: Bool
    }

    let path: String
    let name: String
    let id: String
    let bus: String
    let driver: String
    let camera: Bool
    let output: Bool
    let loopback: Bool
    let modes: [Mode]

    /// A record of a device and its modes.
    public init(_ device: VideoDevice, modes: [VideoMode]) {
        path = device.path
        name = device.name
        id = device.id
        bus = device.bus
        driver = device.driver
        camera = device.isCamera
        output = device.isOutput
        loopback = device.isLoopback
        self.modes = modes.map { mode in
            Mode(
                format: mode.format, width: mode.size.width, height: mode.size.height,
                rates: mode.rates.map(\.framesPerSecond), usable: mode.isUsable)
        }
    }

    /// For people: what it is, what to call it, and its modes, a format a line.
    var lines: [String] {
        let roles = [camera && !(loopback && output) ? "camera" : nil, loopback ? "loopback" : output ? "output" : nil]
        let kind = roles.compactMap { $0 }.joined(separator: ", ")
        var lines = ["\(path)  \(kind.isEmpty ? "neither camera nor output" : kind): \(name)"]
        lines.append("    \(loopback ? "as a sink loopback:\(path)" : "id \(id)")  driver \(driver)  at \(bus)")
        let usable = modes.filter(\.usable)
        var formats: [String] = []
        for mode in usable where !formats.contains(mode.format) { formats.append(mode.format) }
        for format in formats {
            let sizes = usable.filter { $0.format == format }.map { mode in
                let rates = mode.rates.map { $0.text($0 == $0.rounded() ? 0 : 2) }.joined(separator: ", ")
                return "\(mode.width)x\(mode.height)" + (rates.isEmpty ? "" : " (\(rates) fps)")
            }
            lines.append("    \(format)  \(sizes.joined(separator: "  "))")
        }
        return lines
    }
}

/// All devices.
struct DeviceList: Encodable {
    struct Unreadable: Encodable {
        let path: String
        let reason: String
    }

    let devices: [DeviceRecord]
    /// Devices that are there and cannot be opened.
    let unreadable: [Unreadable]

    func json() throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(self), as: UTF8.self)
    }

    var lines: [String] {
        var lines = devices.flatMap(\.lines) + unreadable.map { DeviceCatalog.advice(path: $0.path) }
        if lines.isEmpty { lines.append("there is no video device (/dev/video*) here") }
        if !devices.contains(where: \.loopback) { lines.append(DeviceCatalog.loopbackAdvice) }
        return lines
    }
}
