/// Finds devices that several streams of one program want for themselves.
public enum DeviceUse {
    /// Throws when two of `streams` read one camera, or two sinks write to one loopback device.
    public static func check(_ streams: [LiveSettings]) throws(MediaError) {
        var readers: [String: String] = [:], writers: [String: String] = [:]
        for stream in streams {
            if case .webcam(let camera) = stream.source {
                try note(
                    camera.device, of: stream.name, in: &readers,
                    advice: "a camera serves one stream, which may have several sinks")
            }
            for case .loopback(let loopback) in stream.sinks {
                try note(
                    loopback.device, of: stream.name, in: &writers,
                    advice: "a loopback device shows one stream; give each a device of its own")
            }
        }
    }

    private static func note(
        _ device: String, of stream: String, in users: inout [String: String], advice: String
    ) throws(MediaError) {
        let key = device.hasPrefix("/") ? SystemText.realPath(device) ?? device : device
        if let other = users[key] {
            let who = other == stream ? "'\(stream)' uses" : "'\(other)' and '\(stream)' both use"
            throw MediaError("\(who) '\(device)'\(other == stream ? " twice" : ""); \(advice).")
        }
        users[key] = stream
    }
}
