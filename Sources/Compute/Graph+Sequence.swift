import Tensors

extension Graph {
    /// All positions of `values` behind each other, batch element by batch element, as a sequence.
    public func concatenatePositions(_ values: [Value]) -> Value {
        let first = values[0].shape
        let length = values.reduce(0) { $0 + $1.shape.area }
        let shape = Shape(first.batch, 1, length, first.channels)
        return record("concat positions", from: values, shape: shape) { context, result in
            var offset = 0
            for index in values.indices {
                let value = values[index]
                let count = value.shape.area * first.channels
                for element in 0..<first.batch {
                    let output = context[result] + (element * length * first.channels + offset)
                    output.update(from: context[value] + element * count, count: count)
                }
                offset += count
            }
        }
    }

    /// The batches of `values` behind each other.
    public func stack(_ values: [Value]) -> Value {
        var shape = values[0].shape
        shape.batch = values.reduce(0) { $0 + $1.shape.batch }
        return record("stack", from: values, shape: shape) { context, result in
            var output = context[result]
            for index in values.indices {
                let value = values[index]
                output.update(from: context[value], count: value.shape.count)
                output += value.shape.count
            }
        }
    }

    /// The first batch element repeated `count` times.
    public func repeated(_ x: Value, _ count: Int) -> Value {
        count == 1 ? x : stack(Array(repeating: x, count: count))
    }

    /// Zeros that never change.
    public func zeros(_ shape: Shape) -> Value {
        record("zeros", from: [], shape: shape) { context, result in
            context[result].update(repeating: 0, count: shape.count)
        }
    }

    /// The mean over all positions: [batch, 1, 1, channels].
    public func meanOverPositions(_ x: Value) -> Value {
        let area = x.shape.area, channels = x.shape.channels
        return record("mean", from: [x], shape: Shape(x.shape.batch, 1, 1, channels)) { context, result in
            for element in 0..<x.shape.batch {
                let input = context[x] + element * area * channels, output = context[result] + element * channels
                for c in 0..<channels {
                    var sum = 0.0
                    for position in 0..<area { sum += Double(input[position &* channels &+ c]) }
                    output[c] = Float(sum / Double(area))
                }
            }
        }
    }

    /// x + a learned vector of as many channels, the same at every position.
    public func addVector(_ x: Value, _ vector: WeightArray) -> Value {
        let channels = x.shape.channels
        return record("add vector", from: [x], shape: x.shape, weights: [vector]) { context, result in
            let input = context[x], output = context[result]
            for position in 0..<x.shape.positions {
                for c in 0..<channels {
                    output[position &* channels &+ c] = input[position &* channels &+ c] + vector.pointer[c]
                }
            }
        }
    }

    /// Rows of a table: `ids` [batch, 1, length, 1] hold whole numbers; one outside the table reads its nearest row.
    /// `positions`, if given, is another table whose row n is added at position n.
    public func embed(_ ids: Value, table: WeightArray, positions: WeightArray?, channels: Int) -> Value {
        let rows = table.count / channels, length = ids.shape.width
        let weights = [table] + (positions.map { [$0] } ?? [])
        return record("embed", from: [ids], shape: ids.shape.with(channels: channels), weights: weights) {
            context, result in
            let input = context[ids], output = context[result]
            for index in 0..<ids.shape.positions {
                let id = input[index]  // NaN is no number of a row, and the largest floats are no Ints
                let row = id > 0 ? Int(min(id, Float(rows - 1))) : 0
                let target = output + index * channels
                target.update(from: table.pointer + row * channels, count: channels)
                guard let positions else { continue }
                let place = positions.pointer + index % length * channels
                for c in 0..<channels { target[c] += place[c] }
            }
        }
    }

    /// One position of each sequence of `x`: the one that `choose` finds in the sequence's ids.
    public func pick(
        _ x: Value, ids: Value, choose: @escaping (UnsafeBufferPointer<Float>) -> Int
    ) -> Value {
        let length = x.shape.width, channels = x.shape.channels
        return record("pick", from: [x, ids], shape: Shape(x.shape.batch, 1, 1, channels)) { context, result in
            for element in 0..<x.shape.batch {
                let row = UnsafeBufferPointer(start: context[ids] + element * length, count: length)
                let position = min(max(0, choose(row)), length - 1)
                (context[result] + element * channels).update(
                    from: context[x] + (element * length + position) * channels, count: channels)
            }
        }
    }

    /// Classifier-free guidance for image and text (InstructPix2Pix; MoViE, equation 1).
    ///
    /// - Parameters:
    ///   - passes: batch of 3: without conditions, with the image, with image and text.
    ///   - imageScale, textScale: [1, 1, 1, 1].
    /// - Returns: batch of 1.
    public func guide(_ passes: Value, imageScale: Value, textScale: Value) -> Value {
        var shape = passes.shape
        shape.batch = 1
        let count = shape.count
        return record("guidance", from: [passes, imageScale, textScale], shape: shape) { context, result in
            let none = context[passes], image = none + count, both = image + count, output = context[result]
            let imageWeight = context[imageScale][0], textWeight = context[textScale][0]
            for i in 0..<count {
                output[i] = none[i] + imageWeight * (image[i] - none[i]) + textWeight * (both[i] - image[i])
            }
        }
    }
}
