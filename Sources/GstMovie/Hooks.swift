import CGstMovie
import Editing
import Scheduling

// What the C class calls. Each finds the body and passes on.

private func body(_ pointer: UnsafeMutableRawPointer) -> MovieElement {
    Unmanaged<MovieElement>.fromOpaque(pointer).takeUnretainedValue()
}

/// Makes the body of `element`.
@c @implementation
public func gstmovie_swift_create(_ element: UnsafeMutablePointer<GstElement>) -> UnsafeMutableRawPointer {
    Unmanaged.passRetained(MovieElement(element)).toOpaque()
}

/// Frees a body.
@c @implementation
public func gstmovie_swift_destroy(_ pointer: UnsafeMutableRawPointer) {
    Unmanaged<MovieElement>.fromOpaque(pointer).release()
}

/// Sets a property that is text.
@c @implementation
public func gstmovie_swift_set_string(
    _ pointer: UnsafeMutableRawPointer, _ property: UInt32, _ value: UnsafePointer<CChar>?
) {
    let text = value.map { String(cString: $0) }
    body(pointer).settings.withLock { $0.set(property, text) }
}

/// Sets a property that is a fraction.
@c @implementation
public func gstmovie_swift_set_double(_ pointer: UnsafeMutableRawPointer, _ property: UInt32, _ value: Double) {
    body(pointer).settings.withLock { $0.set(property, value) }
}

/// Sets a property that is a whole number or a choice.
@c @implementation
public func gstmovie_swift_set_number(_ pointer: UnsafeMutableRawPointer, _ property: UInt32, _ value: UInt) {
    body(pointer).settings.withLock { $0.set(property, UInt64(value)) }
    if GstMovieProperty(property) == GSTMOVIE_LATENCY_BUDGET { body(pointer).latencyBudgetChanged() }
}

/// A property that is text; the caller frees it.
@c @implementation
public func gstmovie_swift_get_string(
    _ pointer: UnsafeMutableRawPointer, _ property: UInt32
) -> UnsafeMutablePointer<CChar>? {
    body(pointer).settings.withLock { $0.string(property) }?.withCString { g_strdup($0) }
}

/// A property that is a fraction.
@c @implementation
public func gstmovie_swift_get_double(_ pointer: UnsafeMutableRawPointer, _ property: UInt32) -> Double {
    body(pointer).settings.withLock { $0.double(property) }
}

/// A property that is a whole number or a choice.
@c @implementation
public func gstmovie_swift_get_number(_ pointer: UnsafeMutableRawPointer, _ property: UInt32) -> UInt {
    UInt(body(pointer).settings.withLock { $0.number(property) })
}

/// Writes the statistics into an empty structure.
@c @implementation
public func gstmovie_swift_fill_stats(_ pointer: UnsafeMutableRawPointer, _ stats: UnsafeMutablePointer<GstStructure>) {
    let statistics = body(pointer).statistics
    let counts = statistics.counts
    let times = statistics.percentiles([50, 95, 99])
    let numbers: [(StaticString, UInt64)] = [
        ("in", counts.input), ("edited", counts.edited), ("reused", counts.reused),
        ("propagated", counts.propagated), ("held", counts.held),
        ("passthrough", counts.passthrough), ("late", counts.late), ("dropped", counts.dropped),
        ("latency-p50", times[0]), ("latency-p95", times[1]), ("latency-p99", times[2]),
    ]
    for (name, value) in numbers { name.withCString { gstmovie_stat(stats, $0, UInt(value)) } }
    (counts.rung?.description ?? "none").withCString { gstmovie_stat_text(stats, "rung", $0) }
}

/// READY to PAUSED.
@c @implementation
public func gstmovie_swift_start(_ pointer: UnsafeMutableRawPointer) -> gboolean { body(pointer).start() ? 1 : 0 }

/// PAUSED to READY.
@c @implementation
public func gstmovie_swift_stop(_ pointer: UnsafeMutableRawPointer) { body(pointer).stop() }

/// Ends the waiting of a frame in work.
@c @implementation
public func gstmovie_swift_unblock(_ pointer: UnsafeMutableRawPointer) {
    body(pointer).isUnblocked.store(true, ordering: .relaxed)
}

/// New caps.
@c @implementation
public func gstmovie_swift_set_info(_ pointer: UnsafeMutableRawPointer, _ info: UnsafePointer<GstVideoInfo>) -> gboolean
{
    body(pointer).setInfo(info.pointee) ? 1 : 0
}

/// One frame.
@c @implementation
public func gstmovie_swift_edit(
    _ pointer: UnsafeMutableRawPointer, _ input: UnsafePointer<GstVideoFrame>, _ output: UnsafePointer<GstVideoFrame>,
    _ timing: UnsafePointer<GstMovieTiming>
) -> GstFlowReturn {
    body(pointer).process(input, output, timing.pointee)
}

/// The base class skipped a frame.
@c @implementation
public func gstmovie_swift_skipped(_ pointer: UnsafeMutableRawPointer) {
    body(pointer).statistics.countDropped(isLate: true)
}

/// A sink's report.
@c @implementation
public func gstmovie_swift_set_earliest(_ pointer: UnsafeMutableRawPointer, _ earliest: GstClockTime) {
    body(pointer).earliest.store(earliest == .max ? -1 : Int64(clamping: earliest), ordering: .relaxed)
}

/// Time begins anew.
@c @implementation
public func gstmovie_swift_flush(_ pointer: UnsafeMutableRawPointer) { body(pointer).flush() }

/// Upstream's answer to a latency query.
@c @implementation
public func gstmovie_swift_latency(
    _ pointer: UnsafeMutableRawPointer, _ isLive: gboolean, _ upstream: GstClockTime
) -> GstClockTime {
    GstClockTime(body(pointer).addedLatency(isLive: isLive != 0, upstream: UInt64(upstream)))
}

/// How a preset is written in a pipeline.
@c @implementation
public func gstmovie_swift_preset_nick(_ index: UInt32) -> UnsafePointer<CChar>? {
    preset(index)?.name.cString
}

/// What a preset stands for.
@c @implementation
public func gstmovie_swift_preset_prompt(_ index: UInt32) -> UnsafePointer<CChar>? {
    preset(index)?.prompt.cString
}

private func preset(_ index: UInt32) -> EditPreset? {
    EditPreset.all.indices.contains(Int(index)) ? EditPreset.all[Int(index)] : nil
}

extension StaticString {
    /// The text, ended by a zero, as long as the program runs.
    fileprivate var cString: UnsafePointer<CChar> { UnsafeRawPointer(utf8Start).assumingMemoryBound(to: CChar.self) }

    fileprivate func withCString(_ body: (UnsafePointer<CChar>) -> Void) { body(cString) }
}
