import Foundation
import Testing

/// What ffprobe says about a file.
struct Measured {
    struct Stream: Decodable {
        var codec_name: String
        var codec_type: String
        var width: Int?
        var height: Int?
        var r_frame_rate: String
        var avg_frame_rate: String
        var start_time: String?
        var sample_aspect_ratio: String?
        var nb_read_frames: String?
        var nb_read_packets: String?
    }
    private struct Format: Decodable { var duration: String }
    private struct Report: Decodable {
        var streams: [Stream]
        var format: Format
    }

    let streams: [Stream]
    let seconds: Double
    var video: Stream? { streams.first { $0.codec_type == "video" } }
    var audio: Stream? { streams.first { $0.codec_type == "audio" } }
    var frames: Int { Int(video?.nb_read_frames ?? "") ?? 0 }

    init(_ path: String) throws {
        let command = ["ffprobe", "-v", "error", "-count_frames", "-count_packets", "-show_streams", "-show_format"]
        let result = Tool.run(command + ["-of", "json", path])
        try #require(result.status == 0, "ffprobe cannot read \(path)")
        let report = try JSONDecoder().decode(Report.self, from: result.output)
        streams = report.streams
        seconds = Double(report.format.duration) ?? 0
    }

    /// Presentation times of all frames in seconds.
    static func times(_ path: String) -> [Double] {
        let command = ["ffprobe", "-v", "error", "-select_streams", "v", "-show_entries", "frame=pts_time"]
        let output = Tool.run(command + ["-of", "csv=p=0", path]).output
        return String(decoding: output, as: UTF8.self).split(separator: "\n").compactMap {
            Double($0.prefix { $0 != "," })
        }
    }

    /// Checksums of all packets of the sound.
    static func soundPackets(_ path: String) -> [Substring] {
        let command = ["ffmpeg", "-v", "error", "-i", path, "-map", "0:a", "-c", "copy", "-f", "framemd5", "-"]
        let text = String(decoding: Tool.run(command).output, as: UTF8.self)
        return text.split(separator: "\n").filter { !$0.hasPrefix("#") }.compactMap { $0.split(separator: ",").last }
    }

    /// The decoded pictures, packed RGB without padding.
    static func pixels(_ path: String) -> [UInt8] {
        let command = ["ffmpeg", "-v", "error", "-i", path, "-f", "rawvideo", "-pix_fmt", "rgb24", "-"]
        return [UInt8](Tool.run(command).output)
    }
}
