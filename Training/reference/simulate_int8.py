"""Simulates the int8 arithmetic of the Swift engine in PyTorch, exactly, and writes fixtures for Tests/ComputeTests.

    python Training/reference/simulate_int8.py Tests/ComputeTests/Fixtures

Arithmetic of a layer (a linear layer is a 1x1 convolution of a picture one row high):

    activations      u8, one scale and zero point a tensor:       real = (q - zero_point) * scale
    weights          s8 in -127...127, one scale an output channel: real = w * weight_scales[o]
    accumulators     int32, exact: sum of (q - zero_point) * w; padding adds nothing, as real zeros do
    reals            float32: accumulators * (scale * weight_scales[o]) + bias[o], + residual, then the activation
    outputs          u8: clamp(rint(reals / output_scale) + output_zero_point, 0, 255), rint to even at halves

A residual is float32, or u8 with its own scale and zero point, and is added before the activation. Numbers are drawn
again until no output lies within 1e-4 steps of a half, more than float32 loses here: so `outputs` are the same whether
multiply and add are fused or not, in whichever order they come, and whether one divides or multiplies by the
reciprocal, and a test may ask for equality. `reals` differ by float32's rounding.

`int8-layers.safetensors` holds every case. Pictures are [batch, height, width, channels]. CASE is the name, N counts
the layers of a chain from 0, each taking the outputs of the one before:

    CASE.inputs              U8   what layer 0 takes
    CASE.N.weights           I8   [outputs, inputs, kernel height, kernel width], as PyTorch stores them
    CASE.N.weight_scales     F32  [outputs]
    CASE.N.bias              F32  [outputs]
    CASE.N.scales            F32  [2]: of the layer's input and of its output
    CASE.N.zero_points       I32  [2]: the same
    CASE.N.geometry          I32  [3]: stride, padding on every side, activation (0 none, 1 ReLU)
    CASE.N.residual          F32 or U8, shaped like the output; absent without one
    CASE.N.residual_scale    F32  [1], CASE.N.residual_zero_point I32 [1]: of a U8 residual alone
    CASE.N.accumulators      I32
    CASE.N.reals             F32
    CASE.N.outputs           U8
"""

from __future__ import annotations

import argparse
import math
import pathlib
import zlib
from dataclasses import dataclass

import torch
from safetensors.torch import save_file
from torch import Tensor
from torch.nn import functional as F

LIMIT = 400_000  # bytes of the file
MARGIN = 1e-4  # steps between an output and the nearest half
DRAWS = 500
Tensors = dict[str, Tensor]


class NearHalf(Exception):
    """An output so near a half that the order of float32 operations would decide it."""


@dataclass(frozen=True)
class Quantization:
    """What a u8 tensor means: real = (q - zero_point) * scale."""

    scale: float
    zero_point: int

    @classmethod
    def spanning(cls, low: float, high: float) -> Quantization:
        """The finest one that holds low...high and zero."""
        low, high = min(low, 0.0), max(high, 0.0)
        scale = torch.tensor((high - low) / 255, dtype=torch.float32).item()
        return cls(scale, round(-low / scale))

    def quantize(self, reals: Tensor) -> Tensor:
        """clamp(rint(reals / scale) + zero_point, 0, 255), the division in float32."""
        steps = torch.round(reals / torch.tensor(self.scale, dtype=torch.float32))
        return (steps + self.zero_point).clamp(0, 255).to(torch.uint8)

    def margin(self, reals: Tensor) -> float:
        """How near any number comes to where the rounding changes, in steps; clamped ones do not count."""
        steps = reals.double() / self.scale
        levels = steps + self.zero_point
        steps = steps[(levels > -0.6) & (levels < 255.6)]
        return (steps - steps.floor() - 0.5).abs().min().item()

    def dequantize(self, quantized: Tensor) -> Tensor:
        """float32: an exact difference times the scale."""
        return (quantized.float() - self.zero_point) * torch.tensor(self.scale, dtype=torch.float32)


@dataclass(frozen=True)
class Layer:
    """A quantized convolution with its epilogue."""

    weights: Tensor  # int8 [outputs, inputs, kernel height, kernel width]
    weight_scales: Tensor  # float32 [outputs]
    bias: Tensor  # float32 [outputs]
    source: Quantization
    target: Quantization
    stride: int = 1
    padding: int = 0
    has_relu: bool = False

    def accumulate(self, inputs: Tensor) -> Tensor:
        """int32 [batch, height, width, outputs]. Float64 adds whole numbers of this size exactly."""
        centred = (inputs.to(torch.float64) - self.source.zero_point).permute(0, 3, 1, 2)
        sums = F.conv2d(centred, self.weights.double(), stride=self.stride, padding=self.padding)
        if sums.abs().max() >= 2**31:
            raise ValueError("an accumulator leaves int32: use fewer channels or smaller values")
        return sums.permute(0, 2, 3, 1).contiguous().to(torch.int32)

    def finish(self, accumulators: Tensor, residual: Tensor | None) -> Tensor:
        """The reals, in float32."""
        factors = torch.tensor(self.source.scale, dtype=torch.float32) * self.weight_scales
        reals = accumulators.float() * factors + self.bias
        if residual is not None:
            reals = reals + residual
        return reals.relu() if self.has_relu else reals


@dataclass(frozen=True)
class LayerPlan:
    """What a layer of a case is like; its numbers are drawn."""

    outputs: int
    kernel: int = 1
    stride: int = 1
    has_relu: bool = False
    residual: str | None = None  # "float", "quantized", or "input": the case's inputs
    output_zero_point: int | None = None  # None: as the range of the reals wants it
    is_extreme: bool = False  # weights of -127 and 127 alone, and outputs beyond both ends


@dataclass(frozen=True)
class Case:
    """A chain of layers on a picture of `height` x `width` with `channels` channels."""

    name: str
    height: int
    width: int
    channels: int
    zero_point: int
    layers: tuple[LayerPlan, ...]
    batch: int = 1


CASES = (
    Case("linear-zero-point-0", 1, 7, 48, 0, (LayerPlan(16),)),
    Case("linear-zero-point-128", 1, 13, 64, 128, (LayerPlan(48, has_relu=True),), batch=2),
    Case("point-3-channels", 5, 7, 3, 13, (LayerPlan(64),)),
    Case("kernel-3-channels", 9, 11, 3, 13, (LayerPlan(16, 3, has_relu=True),)),
    Case("kernel-zero-point-128", 6, 5, 48, 128, (LayerPlan(3, 3),)),
    Case("stride-2-even", 10, 12, 16, 0, (LayerPlan(48, 3, 2),)),
    Case("stride-2-odd", 9, 7, 48, 128, (LayerPlan(16, 3, 2, has_relu=True),), batch=2),
    Case("residual-float", 8, 9, 16, 13, (LayerPlan(16, 3, has_relu=True, residual="float"),)),
    Case("residual-quantized", 7, 6, 48, 13, (LayerPlan(48, 1, residual="quantized"),)),
    Case("saturating", 5, 5, 64, 0, (LayerPlan(64, 3, output_zero_point=128, is_extreme=True),)),
    Case("chain-block", 9, 10, 16, 0, (
        LayerPlan(16, 3, has_relu=True), LayerPlan(16, 3, has_relu=True),
        LayerPlan(16, 3, has_relu=True, residual="input"))),
    Case("chain-down", 11, 13, 3, 13, (
        LayerPlan(16, 3), LayerPlan(48, 3, 2, has_relu=True), LayerPlan(16), LayerPlan(3, 3))),
)


def draw_inputs(case: Case) -> Tensor:
    """u8 numbers around the zero point, with both ends among them."""
    shape = (case.batch, case.height, case.width, case.channels)
    if any(plan.is_extreme for plan in case.layers):
        return torch.where(torch.rand(shape) < 0.95, 255, 0).to(torch.uint8)
    inputs = (case.zero_point + 45 * torch.randn(shape)).round().clamp(0, 255).to(torch.uint8)
    inputs.view(-1)[:2] = torch.tensor([0, 255], dtype=torch.uint8)
    return inputs


def draw_weights(plan: LayerPlan, inputs: int) -> tuple[Tensor, Tensor]:
    """Quantized weights and their scales, every output channel with a width of its own."""
    shape = (plan.outputs, inputs, plan.kernel, plan.kernel)
    if plan.is_extreme:
        signs = torch.where(torch.arange(plan.outputs) % 2 == 0, 127, -127)[:, None, None, None]
        return signs.expand(shape).contiguous().to(torch.int8), torch.full((plan.outputs,), 0.001)
    reals = torch.randn(shape) * (0.2 + torch.rand(plan.outputs))[:, None, None, None] / math.prod(shape[1:]) ** 0.5
    scales = reals.flatten(1).abs().amax(1) / 127
    return torch.round(reals / scales[:, None, None, None]).clamp(-127, 127).to(torch.int8), scales


def draw_residual(plan: LayerPlan, shape: torch.Size,
                  case_inputs: tuple[Tensor, Quantization]) -> tuple[Tensors, Tensor | None]:
    """A residual's tensors for the fixture, and its reals."""
    if plan.residual is None:
        return {}, None
    if plan.residual == "float":
        reals = torch.randn(shape)
        return {"residual": reals}, reals
    quantized, meaning = case_inputs
    if plan.residual == "quantized":
        quantized, meaning = torch.randint(0, 256, shape, dtype=torch.uint8), Quantization(0.0123, 101)
    tensors = {"residual": quantized, "residual_scale": torch.tensor([meaning.scale]),
               "residual_zero_point": torch.tensor([meaning.zero_point], dtype=torch.int32)}
    return tensors, meaning.dequantize(quantized)


def choose_target(plan: LayerPlan, reals: Tensor) -> Quantization:
    """The output's quantization: its range, or for extreme layers a narrower one."""
    if plan.output_zero_point is None:
        return Quantization.spanning(reals.min().item(), reals.max().item())
    scale = torch.tensor(reals.abs().max().item() / 200, dtype=torch.float32).item()
    return Quantization(scale, plan.output_zero_point)


def require_near_float(layer: Layer, inputs: Tensor, residual: Tensor | None, reals: Tensor) -> None:
    """Raises ValueError unless a plain convolution of the numbers that inputs and weights stand for agrees."""
    pixels = layer.source.dequantize(inputs).double().permute(0, 3, 1, 2)
    weights = layer.weights.double() * layer.weight_scales.double()[:, None, None, None]
    wanted = F.conv2d(pixels, weights, layer.bias.double(), layer.stride, layer.padding).permute(0, 2, 3, 1)
    wanted = wanted if residual is None else wanted + residual
    wanted = wanted.relu() if layer.has_relu else wanted
    error = ((reals - wanted).norm() / wanted.norm()).item()
    if error > 1e-6:
        raise ValueError(f"the simulation differs from a float convolution by {error:.1e}")


def make_layer(plan: LayerPlan, source: Quantization, inputs: Tensor,
               first: tuple[Tensor, Quantization]) -> tuple[Layer, Tensors]:
    """Draws a layer, simulates it on `inputs`, and returns it with its tensors."""
    weights, scales = draw_weights(plan, inputs.shape[-1])
    settings = {"weights": weights, "weight_scales": scales, "bias": 0.1 * torch.randn(plan.outputs), "source": source,
                "stride": plan.stride, "padding": plan.kernel // 2, "has_relu": plan.has_relu}
    layer = Layer(target=Quantization(1.0, 0), **settings)
    accumulators = layer.accumulate(inputs)
    stored, residual = draw_residual(plan, accumulators.shape, first)
    reals = layer.finish(accumulators, residual)
    layer = Layer(target=choose_target(plan, reals), **settings)
    if layer.target.margin(reals) < MARGIN:
        raise NearHalf
    require_near_float(layer, inputs, residual, reals)
    return layer, {
        "weights": weights, "weight_scales": scales, "bias": layer.bias,
        "scales": torch.tensor([source.scale, layer.target.scale]),
        "zero_points": torch.tensor([source.zero_point, layer.target.zero_point], dtype=torch.int32),
        "geometry": torch.tensor([layer.stride, layer.padding, int(layer.has_relu)], dtype=torch.int32),
        **stored, "accumulators": accumulators, "reals": reals, "outputs": layer.target.quantize(reals)}


def draw_case(case: Case, salt: int) -> Tensors:
    """The tensors of a case, named within it. Raises NearHalf where this draw cannot be used."""
    torch.manual_seed(zlib.crc32(case.name.encode()) + salt)
    first = draw_inputs(case), Quantization(torch.tensor(0.0217, dtype=torch.float32).item(), case.zero_point)
    tensors, (inputs, source) = {"inputs": first[0]}, first
    for index, plan in enumerate(case.layers):
        layer, stored = make_layer(plan, source, inputs, first)
        tensors |= {f"{index}.{name}": tensor for name, tensor in stored.items()}
        inputs, source = stored["outputs"], layer.target
    return tensors


def make_case(case: Case) -> Tensors:
    """The first draw that can be used."""
    for salt in range(DRAWS):
        try:
            return draw_case(case, salt)
        except NearHalf:
            continue
    raise ValueError(f"none of {DRAWS} draws keeps away from halves: use a smaller size")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    folder = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    tensors: Tensors = {}
    for case in CASES:
        try:
            tensors |= {f"{case.name}.{name}": tensor.contiguous() for name, tensor in make_case(case).items()}
        except ValueError as error:
            raise SystemExit(f"error: {case.name}: {error}") from None
    path = folder / "int8-layers.safetensors"
    save_file({name: tensor.clone() for name, tensor in tensors.items()}, path)
    size = path.stat().st_size
    print(f"{path}: {len(CASES)} cases, {size:,} bytes")
    if size > LIMIT:
        raise SystemExit(f"error: the fixtures take {size:,} bytes, more than {LIMIT:,}: use smaller sizes")


if __name__ == "__main__":
    main()
