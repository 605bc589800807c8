import Compute
import Networks
import Tensors

/// Runs one network of a model on tensors from a file, as `movied model run` does.
public enum PartService {
    /// Reads `inputs`, computes `part` of the model and writes `output`; all three are safetensors or model folders.
    public static func run(
        folder: ModelFolder, part: PartRunner.Part, inputs: String, output: String, precision: Precision = .float,
        threads: Int? = nil
    ) throws {
        let pool = WorkerPool(threads: threads)
        defer { pool.shutdown() }
        let results = try PartRunner(folder, pool: pool, precision: precision).run(
            part, inputs: try TensorStore(file: inputs))
        try writeSafeTensors(results, to: output)
    }
}
