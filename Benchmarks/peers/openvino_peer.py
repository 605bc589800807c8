"""OpenVINO: float, bfloat16 by its hint, and int8 by NNCF's post-training quantization."""

from __future__ import annotations

import pathlib
from collections.abc import Callable

import openvino as ov

from .exports import Cache, version_of
from .task import Arrays, Peer, Task


def convert(task: Task, folder: pathlib.Path) -> None:
    """The network as OpenVINO's model. The weights are float16 as stored, so that its compression loses nothing."""
    import torch

    network, example = task.network(), task.example()
    with torch.inference_mode():
        model = ov.convert_model(network.module, example_input=tuple(torch.from_numpy(example[name]) for name in network.names))
    for port, name in zip(model.inputs, network.names, strict=True):
        port.get_node().set_friendly_name(name)
        port.get_tensor().set_names({name})
    model.outputs[0].get_tensor().set_names({network.output})
    model.reshape({name: list(example[name].shape) for name in network.names})
    ov.save_model(model, folder / "model.xml", compress_to_fp16=True)


def quantize(task: Task, source: pathlib.Path, folder: pathlib.Path) -> None:
    """NNCF's post-training quantization on the calibration inputs, all settings its own for a model with attention."""
    import nncf

    samples = task.calibration()
    kind = nncf.ModelType.TRANSFORMER if task.has_attention else None
    model = nncf.quantize(ov.Core().read_model(source / "model.xml"), nncf.Dataset(samples), subset_size=len(samples),
                          model_type=kind)
    ov.save_model(model, folder / "model.xml")


def static_nodes(model: ov.Model, static: Arrays) -> set[str]:
    """Names of the operations that depend on static inputs and constants alone.

    A quantizer at the border counts as dynamic: what it feeds must see it, to be computed in int8.
    """
    constant: set[str] = set()
    found: set[str] = set()
    nodes = model.get_ordered_ops()
    for node in nodes:
        name, kind = node.get_name(), node.get_type_name()
        sources = {port.get_source_output().get_node().get_name() for port in node.inputs()}
        if kind == "Parameter":
            found |= {name} if node.get_friendly_name() in static else set()
        elif sources <= constant:
            constant.add(name)
        elif sources <= constant | found:
            found.add(name)
    for node in nodes:
        if node.get_type_name() == "FakeQuantize" and any(user not in found for user in users(node.output(0))):
            found.discard(node.get_name())
    return found


def users(output: ov.Output) -> list[str]:
    return [port.get_node().get_name() for port in output.get_target_inputs()]


def split(model: ov.Model, static: Arrays) -> tuple[ov.Model, Arrays]:
    """The model of what changes with every frame, and the values that the prompt and its settings alone decide.

    They are computed once, as the daemon does, and are inputs of the model returned.
    """
    nodes = static_nodes(model, static)
    border = [output for node in model.get_ordered_ops() if node.get_name() in nodes for output in node.outputs()
              if any(user not in nodes for user in users(output))]
    if not border:
        return model, {}
    parameters = [port for port in model.get_parameters() if port.get_friendly_name() in static]
    once = ov.Core().compile_model(ov.Model(border, parameters), "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    values = [value.copy() for value in once({port.any_name: static[port.any_name] for port in once.inputs}).values()]
    inputs = [port for port in model.get_parameters() if port.get_friendly_name() not in static]
    results = [ov.opset13.result(port.get_node().input_value(0)) for port in model.outputs]
    computed: Arrays = {}
    for index, (output, value) in enumerate(zip(border, values, strict=True)):
        parameter = ov.opset13.parameter(list(value.shape), output.get_element_type(), f"once.{index}")
        parameter.output(0).get_tensor().set_names({f"once.{index}"})
        computed[f"once.{index}"] = value
        output.replace(parameter.output(0))
        inputs.append(parameter)
    return ov.Model(results, inputs), computed


class OpenVINOPeer(Peer):
    """One stream, latency hint. Float and bfloat16 are the precision of what is not quantized."""

    def __init__(self, is_quantized: bool, precision: str):
        self.is_quantized, self.precision = is_quantized, precision

    def prepare(self, task: Task, cache: Cache) -> pathlib.Path:
        source = cache.get(f"openvino-{version_of('openvino')}", lambda folder: convert(task, folder))
        if not self.is_quantized:
            return source
        name = f"openvino-int8-{version_of("openvino", "nncf")}-{task.calibration_folder.name}"
        return cache.get(name, lambda folder: quantize(task, source, folder))

    def load(self, export: pathlib.Path, task: Task, threads: int) -> Callable[[], Arrays]:
        core = ov.Core()
        model = core.read_model(export / "model.xml")
        model, computed = split(model, task.static())
        compiled = core.compile_model(model, "CPU", {
            "INFERENCE_PRECISION_HINT": self.precision, "PERFORMANCE_HINT": "LATENCY", "NUM_STREAMS": 1,
            "INFERENCE_NUM_THREADS": threads})
        request = compiled.create_infer_request()
        for name, value in {**task.dynamic(), **computed}.items():
            request.set_tensor(name, ov.Tensor(value))
        result = request.get_output_tensor(0)

        def run() -> Arrays:
            request.infer()
            return {task.output: result.data}

        return run
