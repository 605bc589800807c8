import CGstMovie
import Editing

/// The element's properties: set from any thread at any time, copied once a frame.
struct ElementSettings: Sendable {
    var model: String?
    var prompt: String?
    var preset = 0
    /// 0 stands for the model's default, here and below.
    var guidanceScale = 0.0
    var imageGuidanceScale = 0.0
    var strength = 1.0
    var seed: UInt64 = 0
    var anchor = GSTMOVIE_ANCHOR_MODEL
    var stability = EditSettings.usualStability
    /// Milliseconds; 0 for measured.
    var latencyBudget: UInt64 = 0
    /// Percent.
    var cpuBudget: UInt64 = 100
    var threads = 0
    var fallback = GSTMOVIE_FALLBACK_HOLD
    /// Counts changes of what an edit looks like, so that a frame sees at once whether there was one.
    var revision = 0

    /// The prompt, or the preset's where none is given.
    var instruction: String {
        if let prompt, prompt.contains(where: { !$0.isWhitespace }) { return prompt }
        return EditPreset.all[min(max(0, preset), EditPreset.all.count - 1)].prompt.description
    }

    mutating func set(_ property: UInt32, _ value: String?) {
        switch GstMovieProperty(property) {
        case GSTMOVIE_MODEL: model = value
        case GSTMOVIE_PROMPT: prompt = value
        default: return
        }
        revision += 1
    }

    mutating func set(_ property: UInt32, _ value: Double) {
        switch GstMovieProperty(property) {
        case GSTMOVIE_GUIDANCE_SCALE: guidanceScale = value
        case GSTMOVIE_IMAGE_GUIDANCE_SCALE: imageGuidanceScale = value
        case GSTMOVIE_STRENGTH:
            if value.isFinite { strength = min(max(0, value), 1) }
            return
        case GSTMOVIE_STABILITY: if value.isFinite { stability = min(max(0, value), 1) }
        default: return
        }
        revision += 1
    }

    mutating func set(_ property: UInt32, _ value: UInt64) {
        switch GstMovieProperty(property) {
        case GSTMOVIE_PRESET: preset = Int(clamping: value)
        case GSTMOVIE_SEED: seed = value
        case GSTMOVIE_ANCHOR: anchor = GstMovieAnchor(UInt32(clamping: value))
        case GSTMOVIE_LATENCY_BUDGET: latencyBudget = value
        case GSTMOVIE_CPU_BUDGET: cpuBudget = max(1, value)
        case GSTMOVIE_THREADS: threads = Int(clamping: value)
        case GSTMOVIE_FALLBACK: fallback = GstMovieFallback(UInt32(clamping: value))
        default: return
        }
        revision += 1
    }

    func string(_ property: UInt32) -> String? {
        GstMovieProperty(property) == GSTMOVIE_MODEL ? model : prompt
    }

    func double(_ property: UInt32) -> Double {
        switch GstMovieProperty(property) {
        case GSTMOVIE_GUIDANCE_SCALE: guidanceScale
        case GSTMOVIE_IMAGE_GUIDANCE_SCALE: imageGuidanceScale
        case GSTMOVIE_STABILITY: stability
        default: strength
        }
    }

    func number(_ property: UInt32) -> UInt64 {
        switch GstMovieProperty(property) {
        case GSTMOVIE_PRESET: UInt64(preset)
        case GSTMOVIE_SEED: seed
        case GSTMOVIE_ANCHOR: UInt64(anchor.rawValue)
        case GSTMOVIE_LATENCY_BUDGET: latencyBudget
        case GSTMOVIE_CPU_BUDGET: cpuBudget
        case GSTMOVIE_THREADS: UInt64(threads)
        case GSTMOVIE_FALLBACK: UInt64(fallback.rawValue)
        default: 0
        }
    }
}
