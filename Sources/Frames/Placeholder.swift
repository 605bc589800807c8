/// The picture of our own that is shown where there is no edit to show: dark, with the program's name.
public enum Placeholder {
    /// Rows of five pixels a letter, the leftmost in the highest bit.
    private static let letters: [[UInt8]] = [
        [0b10001, 0b11011, 0b10101, 0b10101, 0b10001, 0b10001, 0b10001],
        [0b01110, 0b10001, 0b10001, 0b10001, 0b10001, 0b10001, 0b01110],
        [0b10001, 0b10001, 0b10001, 0b10001, 0b10001, 0b01010, 0b00100],
        [0b11111, 0b00100, 0b00100, 0b00100, 0b00100, 0b00100, 0b11111],
        [0b11111, 0b10000, 0b10000, 0b11110, 0b10000, 0b10000, 0b11111],
        [0b11110, 0b10001, 0b10001, 0b10001, 0b10001, 0b10001, 0b11110],
    ]

    /// Colours of background and letters: red, green, blue.
    private static let dark: (UInt8, UInt8, UInt8) = (24, 26, 32)
    private static let light: (UInt8, UInt8, UInt8) = (112, 116, 128)

    /// Draws it; every pixel of `view` is written.
    public static func draw(into view: MutableFrameView) {
        for row in 0..<view.size.height {
            for column in 0..<view.size.width { paint(view, row, column, dark) }
        }
        // A letter is five cells wide and seven high, a cell apart from the next.
        let cell = max(1, view.size.width / 80), width = (letters.count * 6 - 1) * cell, height = 7 * cell
        guard width <= view.size.width, height <= view.size.height else { return }
        let left = (view.size.width - width) / 2, top = (view.size.height - height) / 2
        for row in 0..<height {
            for column in 0..<width where isInk(column: column / cell, row: row / cell) {
                paint(view, top + row, left + column, light)
            }
        }
    }

    private static func isInk(column: Int, row: Int) -> Bool {
        guard column % 6 < 5 else { return false }
        return letters[column / 6][row] >> UInt8(4 - column % 6) & 1 == 1
    }

    private static func paint(_ view: MutableFrameView, _ row: Int, _ column: Int, _ colour: (UInt8, UInt8, UInt8)) {
        let place = row * view.stride + column * view.format.bytesPerPixel
        view.base.storeBytes(of: colour.0, toByteOffset: place, as: UInt8.self)
        view.base.storeBytes(of: colour.1, toByteOffset: place + 1, as: UInt8.self)
        view.base.storeBytes(of: colour.2, toByteOffset: place + 2, as: UInt8.self)
    }
}
