"""What every fixture needs: random weights that leave nothing near its initial value, and the writing of a folder."""

from __future__ import annotations

import json
import pathlib
import zlib
from collections.abc import Callable
from dataclasses import dataclass

import torch
from safetensors.torch import save_file
from torch import Tensor, nn

COMMAND = "PYTHONPATH=Training python Training/reference/make_fixtures.py Tests/NetworksTests/Fixtures --only {}\n"
ROUNDING_LIMIT = 2e-6  # relative error of float32 outputs against float64; the tests allow 1e-4


@dataclass
class Fixture:
    """A folder of files, which `write` fills. The seed comes from the name; `salt` asks for other random numbers."""

    name: str
    write: Callable[[pathlib.Path], None]
    salt: int = 0

    def make(self, root: pathlib.Path) -> pathlib.Path:
        folder = root / self.name
        folder.mkdir(parents=True, exist_ok=True)
        torch.manual_seed(zlib.crc32(self.name.encode()) + self.salt)
        with torch.no_grad():
            self.write(folder)
        (folder / "command.txt").write_text(COMMAND.format(self.name))
        return folder


def randomize(module: nn.Module) -> nn.Module:
    """Draws every parameter anew, in evaluation mode: a wrong sign, order or missing bias then shows in the outputs."""
    for name, parameter in module.named_parameters():
        if parameter.ndim == 1:
            is_scale = name.endswith("weight")
            values = 1 + 0.25 * torch.randn_like(parameter) if is_scale else 0.25 * torch.randn_like(parameter)
        elif "embedding" in name and not name.endswith(("linear_1.weight", "linear_2.weight", "proj.weight")):
            values = 0.3 * torch.randn_like(parameter)
        else:
            fan_in = parameter[0].numel()
            values = torch.randn_like(parameter) * (1.2 / fan_in**0.5)
        parameter.copy_(values)
    return module.eval()


def round_weights(module: nn.Module, dtype: torch.dtype) -> nn.Module:
    """Rounds parameters to a storage type, and computes in float32."""
    return module.to(dtype).float()


def store_model(module: nn.Module, folder: pathlib.Path, dtype: torch.dtype = torch.float16, **options) -> None:
    """`save_pretrained` in a storage type; the module is left in float32, its weights rounded to that type."""
    module.to(dtype).save_pretrained(folder, **options)
    module.float()


def compute(module: nn.Module, run: Callable[..., dict[str, Tensor]], inputs: dict[str, Tensor]) -> dict[str, Tensor]:
    """The outputs in float32, if float64 confirms them: another order of summation must not matter to a test.

    A normalization over few nearly equal values amplifies rounding; such a draw of weights needs another salt.
    """
    outputs = run(module, **inputs)
    exact = run(module.double(), **{name: value.double() if value.dtype == torch.float32 else value
                                    for name, value in inputs.items()})
    module.float()
    for name, output in outputs.items():
        error = ((output - exact[name]).norm() / exact[name].norm()).item()
        if error > ROUNDING_LIMIT:
            raise ValueError(f"{name}: float32 and float64 differ by {error:.1e}: give the fixture another salt")
    return outputs


def prune_config(path: pathlib.Path, keep: set[str]) -> None:
    """Leaves only some keys of a config.json, as older and hand-written folders have: the others take defaults."""
    config = json.loads(path.read_text())
    kept = {key: value for key, value in config.items() if key in keep or key.startswith("_class")}
    write_json(path, kept)


def write_json(path: pathlib.Path, value: object) -> None:
    path.write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")


def write_tensors(path: pathlib.Path, **tensors: Tensor) -> None:
    save_file({name: tensor.detach().clone().contiguous() for name, tensor in tensors.items()}, path)
