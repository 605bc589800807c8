"""What all stages share: their settings, the frozen parts, guidance scales and encoded batches."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from .. import losses, stylizers
from ..batches import Batch, Triplets
from ..diffusion import Schedule
from ..editor import Editor

#: Loads the average weights that an earlier stage ended with, frozen.
Earlier = Callable[[str], Editor]


@dataclass
class Encoded:
    """A batch in the latent space: what the UNet and the decoder see of it."""

    image_latents: Tensor  # [batch, channels, height / 8, width / 8]
    features: list[Tensor]  # the source's skip features, finest first
    embeddings: Tensor  # [batch, tokens, width]


class Stage:
    """One stage of the recipe. Subclasses name it, choose what is trained, and return weighted loss terms.

    `options` is the stage's section of the YAML, `earlier` gives the editors that earlier stages ended with.
    """

    name = ""
    #: What the UNet's output means after this stage.
    prediction = "epsilon"
    #: Whether it learns from pairs of neighbouring frames.
    pairs = False

    def __init__(self, editor: Editor, options: dict, data: Triplets, earlier: Earlier):
        self.editor, self.options, self.data = editor, options, data
        self.device = editor.device
        self.schedule = Schedule(self.device)
        for option in ("motion_edits", "sharp_edits"):
            unknown = sorted(set(options.get(option, {})) - set(stylizers.NAMES))
            if unknown:
                raise ValueError(f"{option} of the stage {self.name} names '{unknown[0]}'; the edits are "
                                 f"{', '.join(stylizers.NAMES)}")
        self.prepare(earlier)

    def prepare(self, earlier: Earlier) -> None:
        """Builds or loads what the stage needs beside the editor."""

    def trained(self) -> Iterable[nn.Parameter]:
        """The editor's parameters that this stage changes."""
        raise NotImplementedError

    def losses(self, batch: Batch) -> dict[str, Tensor]:
        """The terms whose sum is minimised, by name."""
        raise NotImplementedError

    def draw(self, rng: np.random.Generator, size: int, crop: int):
        """What `losses` takes."""
        return self.data.draw(rng, size, crop)

    def second_step(self, batch: Batch) -> dict[str, Tensor]:
        """A step of another network (a discriminator), before the editor's; returns figures for the log."""
        return {}

    def extra_state(self) -> dict:
        """What a checkpoint must hold beside the editor, its average and its optimizer."""
        return {}

    def load_extra_state(self, state: dict) -> None:
        pass

    def autocast(self) -> torch.autocast:
        """The arithmetic of the layers: the recipe's `precision`."""
        low = self.editor.settings.get("precision", "bfloat16") == "bfloat16"
        return torch.autocast(self.device.type, torch.bfloat16, enabled=low)

    # --- pieces for subclasses -----------------------------------------------------------------------------------

    def draw_guidance(self, count: int) -> tuple[Tensor, Tensor]:
        """guidance_scale and image_guidance_scale, each [count]: the defaults in `fixed_guidance_share` of the samples,
        else uniform in their ranges (the paper's s_T ~ U[2, 14] and s_I ~ U[1, 3])."""
        fixed = torch.rand(count, device=self.device) < self.options.get("fixed_guidance_share", 0.0)
        scales = []
        for key in ("guidance_scale", "image_guidance_scale"):
            setting = self.editor.settings["guidance"][key]
            low, high = setting["range"]
            drawn = low + (high - low) * torch.rand(count, device=self.device)
            scales.append(torch.where(fixed, torch.full_like(drawn, setting["default"]), drawn))
        return scales[0], scales[1]

    def told(self, embeddings: Tensor, scales: tuple[Tensor, Tensor]) -> Tensor:
        """What modulates the decoder, [batch, width]: the conditioning, that of an empty prompt for `conditioning_dropout`
        of the samples.

        A decoder that is always told the edit hardly listens to the latents: modulated skips do most local edits. Where
        it may not be told, it must see in the latents what the edit is, so that the UNet and its anchor matter.
        """
        conditioning, share = self.editor.conditioning(embeddings, *scales), self.options.get("conditioning_dropout", 0.0)
        if not share:
            return conditioning
        empty = self.editor.encode_prompt([""]).expand(len(conditioning), -1, -1)
        dropped = torch.rand(len(conditioning), 1, device=self.device) < share
        return torch.where(dropped, self.editor.conditioning(empty, *scales), conditioning)

    def default_guidance(self, count: int) -> tuple[Tensor, Tensor]:
        guidance = self.editor.settings["guidance"]
        return tuple(torch.full((count,), float(guidance[key]["default"]), device=self.device)
                     for key in ("guidance_scale", "image_guidance_scale"))

    def blended(self, batch: Batch, guidance_scale: Tensor, image_guidance_scale: Tensor) -> Tensor:
        """The stylizers' picture at these scales: the source moved towards (or beyond) the edit, [batch, 3, h, w]."""
        strength = stylizers.strength(guidance_scale.cpu().numpy(), image_guidance_scale.cpu().numpy())
        amount = torch.from_numpy(np.asarray(strength, np.float32)).to(self.device).view(-1, 1, 1, 1)
        return (batch.source + amount * (batch.edited - batch.source)).clamp(-1, 1)

    def likeness(self, output: Tensor, target: Tensor, edits: list[str]) -> Tensor:
        """The loss of decoded pictures, with the weights `sharpness` and `energy` of the options.

        `sharp_edits` multiplies both for an edit (1 where it names none).
        """
        factors = self.by_edit("sharp_edits", edits)
        return losses.reconstruction(output, target, *(self.options.get(name, 0.0) * factors
                                                       for name in ("sharpness", "energy")))

    def by_edit(self, option: str, edits: list[str]) -> Tensor:
        """What an option {edit: factor} gives each sample, [batch]; 1 where it names no factor."""
        factors = self.options.get(option, {})
        return torch.tensor([float(factors.get(edit, 1.0)) for edit in edits], device=self.device)

    @torch.no_grad()
    def encode(self, batch: Batch) -> Encoded:
        latents, features = self.editor.encode(batch.source)
        return Encoded(self.editor.image_latents(latents).float(), features, self.editor.encode_prompt(batch.prompts))

    @torch.no_grad()
    def encode_pixels(self, pixels: Tensor) -> Tensor:
        return self.editor.encode(pixels)[0].float()


def conditioner(editor: Editor) -> list[nn.Module]:
    """The layers whose sum modulates the decoder."""
    unet = editor.unet
    parts = [unet.time_embedding, unet.add_embedding, unet.guidance_embedding, unet.image_guidance_embedding]
    return [part for part in parts if part is not None]


def parameters_of(*modules: nn.Module, but: Iterable[nn.Module] = ()) -> list[nn.Parameter]:
    """The parameters of `modules` without those of `but`."""
    left_out = {id(parameter) for module in but for parameter in module.parameters()}
    return [parameter for module in modules for parameter in module.parameters() if id(parameter) not in left_out]
