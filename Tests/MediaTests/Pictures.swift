/// Arithmetic on pictures.
enum Pictures {
    /// Mean absolute difference of two runs of bytes; huge when their lengths differ or there are none.
    static func difference(_ first: [UInt8], _ second: [UInt8]) -> Double {
        guard first.count == second.count, !first.isEmpty else { return .infinity }
        var sum = 0
        first.withUnsafeBufferPointer { one in
            second.withUnsafeBufferPointer { other in
                for index in 0..<one.count { sum &+= abs(Int(one[index]) &- Int(other[index])) }
            }
        }
        return Double(sum) / Double(first.count)
    }
}
