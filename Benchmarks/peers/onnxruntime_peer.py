"""ONNX Runtime's CPU provider, float, with all of its graph optimizations."""

from __future__ import annotations

import pathlib
from collections.abc import Callable

import onnx
import onnxruntime
from onnx import numpy_helper

from .exports import Cache, version_of
from .task import Arrays, Peer, Task

OUTPUT = "output"  # an output must not have the name of an input


def export(task: Task, folder: pathlib.Path) -> None:
    import torch

    network, example = task.network(), task.example()
    arguments = tuple(torch.from_numpy(example[name]) for name in network.names)
    with torch.inference_mode():
        program = torch.onnx.export(
            network.module, arguments, input_names=list(network.names), output_names=[OUTPUT], dynamo=True,
            verbose=False)
    program.save(folder / "model.onnx", external_data=True)


def bind(path: pathlib.Path, static: Arrays) -> pathlib.Path:
    """A copy of the model, beside it, with constants for static inputs: what depends on them alone is then folded."""
    model = onnx.load(path, load_external_data=False)
    dynamic = [port for port in model.graph.input if port.name not in static]
    del model.graph.input[:]
    model.graph.input.extend(dynamic)
    model.graph.initializer.extend(numpy_helper.from_array(value, name) for name, value in static.items())
    bound = path.with_name("bound.onnx")
    onnx.save(model, bound)
    return bound


class OnnxRuntimePeer(Peer):
    def prepare(self, task: Task, cache: Cache) -> pathlib.Path:
        return cache.get(f"onnx-{version_of('onnx', 'torch')}", lambda folder: export(task, folder))

    def load(self, task: Task, cache: Cache, threads: int) -> Callable[[], Arrays]:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
        path = bind(self.prepare(task, cache) / "model.onnx", task.static())
        session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        inputs = task.dynamic()
        return lambda: {task.output: session.run([OUTPUT], inputs)[0]}
