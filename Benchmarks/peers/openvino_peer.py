"""OpenVINO: float, bfloat16 by its hint, and int8 by NNCF's post-training quantization.

A network is exported as two models: `once` computes what the prompt and its settings alone decide (embeddings, keys and
values of cross-attention), as the daemon does once a prompt; `frame` is everything else, and is what is timed.
"""

from __future__ import annotations

import pathlib
from collections.abc import Callable

import openvino as ov
from openvino.passes import ConstantFolding, Manager

from .exports import Cache, version_of
from .task import DYNAMIC, Arrays, Peer, Task


def convert(task: Task) -> ov.Model:
    """The network as OpenVINO's model, its inputs named, its sizes fixed."""
    import torch

    network, example = task.network(), task.example()
    arguments = tuple(torch.from_numpy(example[name]) for name in network.names)
    with torch.inference_mode():
        model = ov.convert_model(network.module, example_input=arguments)
    for port, name in zip(model.inputs, network.names, strict=True):
        port.get_node().set_friendly_name(name)
        port.get_tensor().set_names({name})
    model.reshape({name: list(example[name].shape) for name in network.names})
    manager = Manager()
    manager.register_pass(ConstantFolding())  # sizes become constants
    manager.run_passes(model)
    return model


def static_nodes(model: ov.Model) -> set[str]:
    """Names of the operations that depend on static inputs, and on nothing else but constants."""
    constant: set[str] = set()
    found: set[str] = set()
    for node in model.get_ordered_ops():
        name = node.get_name()
        sources = {port.get_source_output().get_node().get_name() for port in node.inputs()}
        if node.get_type_name() == "Parameter":
            found |= {name} if node.get_friendly_name() not in DYNAMIC else set()
        elif sources <= constant:
            constant.add(name)
        elif sources <= constant | found:
            found.add(name)
    return found


def border(model: ov.Model) -> list[ov.Output]:
    """The values that static operations give to others."""
    nodes = static_nodes(model)
    return [output for node in model.get_ordered_ops() if node.get_name() in nodes for output in node.outputs()
            if any(port.get_node().get_name() not in nodes for port in output.get_target_inputs())]


def export(task: Task, folder: pathlib.Path) -> None:
    """Writes the two models in float32: compression would round the frequencies of the embeddings to float16 too."""
    model = convert(task)
    values, parameters = border(model), model.get_parameters()
    inputs = [parameter for parameter in parameters if parameter.get_friendly_name() in DYNAMIC]
    if values:
        once = ov.Model(values, [parameter for parameter in parameters if parameter not in inputs])
        for index, output in enumerate(once.outputs):
            output.get_tensor().set_names({f"once.{index}"})
        ov.save_model(once, folder / "once.xml", compress_to_fp16=False)
    results = [ov.opset13.result(port.get_node().input_value(0)) for port in model.outputs]
    for index, output in enumerate(values):
        parameter = ov.opset13.parameter(output.get_shape(), output.get_element_type(), f"once.{index}")
        parameter.output(0).get_tensor().set_names({f"once.{index}"})
        output.replace(parameter.output(0))
        inputs.append(parameter)
    ov.save_model(ov.Model(results, inputs), folder / "frame.xml", compress_to_fp16=False)


class Once:
    """Computes the inputs of a `frame` model from those of the network."""

    def __init__(self, folder: pathlib.Path):
        path, core = folder / "once.xml", ov.Core()
        self.names: list[str] = []
        if path.exists():
            model = core.read_model(path)
            self.names = [port.any_name for port in model.inputs]
            self.model = core.compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})

    def __call__(self, inputs: Arrays) -> Arrays:
        dynamic = {name: value for name, value in inputs.items() if name in DYNAMIC}
        if not self.names:
            return dynamic
        results = self.model([inputs[name] for name in self.names]).values()
        return dynamic | {f"once.{index}": value.copy() for index, value in enumerate(results)}


def quantize(task: Task, source: pathlib.Path, folder: pathlib.Path) -> None:
    """NNCF's post-training quantization on the calibration inputs, with its own settings for the kind of network."""
    import nncf

    once = Once(source)
    samples = [once(inputs) for inputs in task.calibration()]
    kind = nncf.ModelType.TRANSFORMER if task.has_attention else None
    model = nncf.quantize(ov.Core().read_model(source / "frame.xml"), nncf.Dataset(samples), subset_size=len(samples),
                          model_type=kind)
    ov.save_model(model, folder / "frame.xml", compress_to_fp16=False)


class OpenVINOPeer(Peer):
    """One stream, latency hint. `precision` is that of what is not quantized."""

    def __init__(self, is_quantized: bool, precision: str):
        self.is_quantized, self.precision = is_quantized, precision

    def _float(self, task: Task, cache: Cache) -> pathlib.Path:
        return cache.get(f"openvino-{version_of('openvino')}", lambda folder: export(task, folder))

    def prepare(self, task: Task, cache: Cache) -> pathlib.Path:
        source = self._float(task, cache)
        if not self.is_quantized:
            return source
        calibration = task.calibration_folder.name if task.calibration_folder else ""
        name = f"openvino-int8-{version_of('openvino', 'nncf')}-{calibration}"
        return cache.get(name, lambda folder: quantize(task, source, folder))

    def load(self, task: Task, cache: Cache, threads: int) -> Callable[[], Arrays]:
        inputs = Once(self._float(task, cache))(task.example())
        compiled = ov.Core().compile_model(self.prepare(task, cache) / "frame.xml", "CPU", {
            "INFERENCE_PRECISION_HINT": self.precision, "PERFORMANCE_HINT": "LATENCY", "NUM_STREAMS": 1,
            "INFERENCE_NUM_THREADS": threads})
        request = compiled.create_infer_request()
        for name, value in inputs.items():
            request.set_tensor(name, ov.Tensor(value))
        result = request.get_output_tensor(0)

        def run() -> Arrays:
            request.infer()
            return {task.output: result.data}

        return run
