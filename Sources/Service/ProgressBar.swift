import Media

/// How far an edit has come, on one line that is redrawn; without a terminal, a line every few seconds.
struct ProgressBar {
    private var lastDraw = -1.0

    /// Draws at most ten times a second on a terminal, every five seconds elsewhere.
    mutating func draw(_ progress: FileEditProgress) {
        let interval = Terminal.isInteractive ? 0.1 : 5.0
        guard lastDraw < 0 || progress.elapsedSeconds - lastDraw >= interval else { return }
        lastDraw = progress.elapsedSeconds
        Terminal.write(Terminal.isInteractive ? "\r\(text(progress))\u{1B}[K" : "\(text(progress))\n")
    }

    /// Ends the line.
    func finish() {
        if Terminal.isInteractive, lastDraw >= 0 { Terminal.write("\r\u{1B}[K") }
    }

    private func text(_ progress: FileEditProgress) -> String {
        let rate = Double(progress.frames) / max(progress.elapsedSeconds, 1e-3)
        guard let total = progress.estimatedFrames, total > 0 else {
            return "\(progress.frames) frames, \(rate.text(1)) fps"
        }
        let share = min(1, Double(progress.frames) / Double(total))
        let filled = Int(share * 30)
        let bar = String(repeating: "█", count: filled) + String(repeating: "░", count: 30 - filled)
        let left = Double(max(0, total - progress.frames)) / max(rate, 1e-3)
        return "\(bar) \(Int(share * 100)) %  \(progress.frames)/\(total) frames  \(rate.text(1)) fps  \(Int(left)) s left"
    }
}
