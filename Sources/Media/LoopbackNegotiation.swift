import CVideo
import Frames
import Glibc

/// Agrees with a loopback device on a format. Who reads it goes on with what it has: a device that is held in a format
/// keeps it.
struct LoopbackNegotiation {
    private let port: any LoopbackPort
    private let device: String

    /// A negotiation with the device of this path.
    init(_ port: any LoopbackPort, device: String) {
        self.port = port
        self.device = device
    }

    /// The format to write pictures of `size` in: the one asked for, I420 where none is, or the one that the device is held
    /// in. Throws where the device cannot be written, or is held in a format in which such pictures cannot be.
    func settle(size: FrameSize, asked: PixelFormat?) throws(MediaError) -> LoopbackFormat {
        try checkKind()
        let wish = LoopbackFormat(pixels: asked ?? .i420, size: size)
        if let format = try attempt(wish) { return format }
        // A format may be kept without anybody who reads.
        let keeps = port.control(Self.keeping) == 1
        if keeps { port.setControl(Self.keeping, 0) }
        defer { if keeps { port.setControl(Self.keeping, 1) } }
        do throws(SystemError) { try port.reopen() } catch { throw refusal(error) }
        if let format = try attempt(wish) { return format }
        throw held(size)
    }

    /// What a person should know about what came out.
    func messages(format: LoopbackFormat, asked: PixelFormat?) -> [String] {
        var messages: [String] = []
        if let asked, asked != format.pixels {
            messages.append(
                "the loopback device '\(device)' keeps the format \(format.pixels.rawValue), in which another program "
                    + "holds it, instead of \(asked.rawValue)")
        }
        if let now = try? port.identify(), now.isCamera, now.saysOutput {
            messages.append(DeviceHelp.notExclusive(device))
        }
        if port.readers() == nil {
            messages.append("nobody knows who reads '\(device)': the camera stays on while nobody watches")
        }
        return messages
    }

    private static let keeping = "keep_format"

    private func checkKind() throws(MediaError) {
        let identity: VideoDevice
        do throws(SystemError) { identity = try port.identify() } catch { throw refusal(error) }
        guard identity.isLoopback else {
            let others = DeviceCatalog.devices().filter(\.isLoopback).map(\.short)
            let list = others.isEmpty ? "there is none here" : "there are \(others.joined(separator: ", "))"
            let kind = identity.isCamera ? "a camera" : "no camera that programs write to"
            throw MediaError(
                "'\(device)' (\(identity.name), driver \(identity.driver)) is \(kind), not a loopback device; \(list).")
        }
        // A device that is a camera only has a writer, unless it keeps its format without one.
        guard identity.isCamera, !identity.saysOutput, port.control(Self.keeping) != 1 else { return }
        throw MediaError(
            "another program already writes to the loopback device \(identity.short); end that one (fuser -v \(device) "
                + "names it), or use another device.")
    }

    /// The format that comes of a wish; nil when it is one in which pictures of that size cannot be written.
    private func attempt(_ wish: LoopbackFormat) throws(MediaError) -> LoopbackFormat? {
        do throws(SystemError) {
            guard let got = LoopbackFormat(try port.setFormat(wish.wish)) else { return nil }
            return got.size == wish.size ? got : nil
        } catch {
            guard error.number == EBUSY else { throw refusal(error) }
        }
        // Held by a reader: newer versions say so instead of answering with what they have.
        do throws(SystemError) {
            guard let held = LoopbackFormat(try port.format()), held.size == wish.size else { return nil }
            guard let got = LoopbackFormat(try port.setFormat(held.wish)) else { return nil }
            return got == held ? got : nil
        } catch {
            throw refusal(error)
        }
    }

    private func held(_ size: FrameSize) -> MediaError {
        var has = "another format"
        do throws(SystemError) {
            let format = try port.format()
            has = "\(format.width)x\(format.height) \(DeviceCatalog.letters(format.fourcc))"
        } catch {}
        return MediaError(
            "the loopback device '\(device)' is held at \(has) by a program that reads it, and \(size) pictures would break "
                + "that one; end it (fuser -v \(device) names it), or give --size as the device has it.")
    }

    private func refusal(_ error: SystemError) -> MediaError {
        MediaError(DeviceHelp.refusal(device, error.number, user: DeviceHelp.user) + ".")
    }
}
