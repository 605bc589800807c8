import CMovie
import Editing
import Frames

// The functions of movie.h.

private func editor(_ pointer: OpaquePointer?) -> Editor? {
    pointer.map { Unmanaged<Editor>.fromOpaque(UnsafeRawPointer($0)).takeUnretainedValue() }
}

/// Loads a model.
@c @implementation
public func movie_create(
    _ model: UnsafePointer<CChar>?, _ threads: Int32, _ error: UnsafeMutablePointer<CChar>?, _ errorSize: Int
) -> OpaquePointer? {
    do {
        let editor = try Editor(model: model.map { String(cString: $0) }, threads: Int(threads))
        write("", to: error, size: errorSize)
        return OpaquePointer(Unmanaged.passRetained(editor).toOpaque())
    } catch let failure {
        write("\(failure)", to: error, size: errorSize)
        return nil
    }
}

/// Encodes a prompt for frames of a size and format.
@c @implementation
public func movie_plan(
    _ pointer: OpaquePointer?, _ prompt: UnsafePointer<CChar>?, _ options: UnsafePointer<movie_options>?,
    _ width: Int32, _ height: Int32, _ format: movie_format
) -> Int32 {
    guard let editor = editor(pointer) else { return -1 }
    return editor.attempt {
        guard PixelFormat.allCases.indices.contains(Int(format.rawValue)) else {
            throw EditError("the format is \(format.rawValue); it must be one of movie_format, 0 to 7")
        }
        let layout = FrameLayout(
            size: FrameSize(width: Int(width), height: Int(height)),
            format: PixelFormat.allCases[Int(format.rawValue)])
        try editor.plan(settings(prompt, options), layout)
    }
}

private func settings(
    _ prompt: UnsafePointer<CChar>?, _ options: UnsafePointer<movie_options>?
) throws(EditError) -> EditSettings {
    var settings = EditSettings(prompt: prompt.map { String(cString: $0) } ?? "")
    guard let options = try options.map(given) else { return settings }
    settings.stability = options.stability
    settings.anchor = options.rolling_anchor == 0 ? .none : .rolling
    settings.guidanceScale = options.guidance_scale == 0 ? nil : options.guidance_scale
    settings.imageGuidanceScale = options.image_guidance_scale == 0 ? nil : options.image_guidance_scale
    settings.seed = UInt64(options.seed)
    return settings
}

/// The options as they are given, of this version or the first; only `size` bytes of them are read.
private func given(_ options: UnsafePointer<movie_options>) throws(EditError) -> movie_options {
    let raw = UnsafeRawPointer(options), size = raw.load(as: Int.self), whole = MemoryLayout<movie_options>.size
    guard [firstOptionsSize, whole].contains(size) else {
        throw EditError("the options' size is \(size); set it to sizeof(movie_options), \(whole)")
    }
    var copy = movie_options()
    withUnsafeMutableBytes(of: &copy) { $0.copyMemory(from: UnsafeRawBufferPointer(start: raw, count: size)) }
    return copy
}

/// sizeof(movie_options) in 0.1: up to `seed`.
private let firstOptionsSize = 32

/// Edits one frame.
@c @implementation
public func movie_edit(
    _ pointer: OpaquePointer?, _ from: UnsafePointer<UnsafeRawPointer?>?, _ fromStrides: UnsafePointer<Int>?,
    _ to: UnsafePointer<UnsafeMutableRawPointer?>?, _ toStrides: UnsafePointer<Int>?
) -> Int32 {
    guard let editor = editor(pointer) else { return -1 }
    let source = from.map { UnsafeRawPointer($0).assumingMemoryBound(to: UnsafeMutableRawPointer?.self) }
    return editor.attempt {
        try editor.edit(
            PlanePointers(planes: source, strides: fromStrides), PlanePointers(planes: to, strides: toStrides))
    }
}

/// The sentence of the last failure.
@c @implementation
public func movie_error(_ pointer: OpaquePointer?) -> UnsafePointer<CChar>? {
    editor(pointer).map { UnsafePointer($0.sentence) }
}

/// Frees an editor.
@c @implementation
public func movie_destroy(_ pointer: OpaquePointer?) {
    if let pointer { Unmanaged<Editor>.fromOpaque(UnsafeRawPointer(pointer)).release() }
}

/// The version.
@c @implementation
public func movie_version() -> UnsafePointer<CChar>? {
    let version: StaticString = "0.1.0"
    return UnsafeRawPointer(version.utf8Start).assumingMemoryBound(to: CChar.self)
}
