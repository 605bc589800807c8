import Media

/// How far an edit has come, on one line that is redrawn; without a terminal, a line every few seconds.
struct ProgressBar {
    private var lastDraw = -1.0

    /// Draws at most ten times a second on a terminal, every five seconds elsewhere.
    mutating func draw(_ progress: FileEditProgress) {
        let interval = Terminal.isInteractive ? 0.1 : 5.0
        guard lastDraw < 0 || progress.elapsedSeconds - lastDraw >= interval else { return }
        lastDraw = progress.elapsedSeconds
        let figures = figures(progress)
        Terminal.write(Terminal.isInteractive ? "\r\(bar(progress))\(figures)\u{1B}[K" : "\(figures)\n")
    }

    /// Ends the line.
    func finish() {
        if Terminal.isInteractive, lastDraw >= 0 { Terminal.write("\r\u{1B}[K") }
    }

    /// Thirty blocks; empty when the length of the video is unknown.
    private func bar(_ progress: FileEditProgress) -> String {
        guard let total = progress.estimatedFrames, total > 0 else { return "" }
        let filled = min(30, progress.frames * 30 / total)
        return String(repeating: "█", count: filled) + String(repeating: "░", count: 30 - filled) + "  "
    }

    private func figures(_ progress: FileEditProgress) -> String {
        let rate = Double(progress.frames) / max(progress.elapsedSeconds, 1e-3)
        guard let total = progress.estimatedFrames, total > 0 else {
            return "\(progress.frames) frames, \(rate.text(1)) fps"
        }
        let left = Double(max(0, total - progress.frames)) / max(rate, 1e-3)
        return "\(progress.frames)/\(total) frames, \(rate.text(1)) fps, \(Int(left)) s left"
    }
}
