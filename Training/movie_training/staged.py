"""The editor after each stage of a recipe, edited with as that stage is meant to be sampled: for the ladder of Table 1."""

from __future__ import annotations

import functools
import pathlib

import numpy as np
import torch
import yaml
from torch import Tensor

from . import checkpoints, prompts, stylizers
from .diffusion import Denoiser, Schedule, sample_ddim, sample_lcm
from .editor import Editor
from .stages import STAGES, Guidance


class StagedEditing:
    """Edits frames one by one from the same noise. `passes` is the number of UNet evaluations a frame.

    autoencoder   no diffusion: the latents of the stylizers' own picture, decoded. The ceiling of what follows.
    teacher       `steps` DDIM steps with the three passes of equation 1
    guidance      `steps` DDIM steps of one pass; also `lcm` steps as the adversarial stage's teacher
    velocity      the same with v-prediction
    adversarial   one step at timestep 999
    temporal      the same
    text          the same: it finishes the prompt encoder of the one-step editor
    """

    def __init__(self, model: Editor, stage: str, name: str | None = None, steps: int = 10, sampler: str = "ddim",
                 seed: int = 0):
        self.model, self.stage, self.name, self.seed = model, stage, name or stage, seed
        self.sample, self.steps = {"ddim": sample_ddim, "lcm": sample_lcm}[sampler], steps
        self.passes = {"autoencoder": 0, "teacher": 3 * steps, "guidance": steps, "velocity": steps}.get(stage, 1)
        self.schedule = Schedule(model.device)
        self._encode = functools.lru_cache(maxsize=256)(lambda prompt: model.encode_prompt([prompt]))
        self._named = {prompt: edit for edit, prompt in prompts.CANONICAL.items()}
        self._named |= {prompt: edit for edit, sentences in prompts.KEPT_OUT.items() for prompt in sentences}

    @torch.no_grad()
    def edit(self, frames: np.ndarray, prompt: str, guidance_scale: float = 7.5,
             image_guidance_scale: float = 1.5) -> np.ndarray:
        """float32 [frames, height, width, 3] in 0...1, the same back; sizes are multiples of the model's factor."""
        scales = [torch.tensor([float(scale)], device=self.model.device) for scale in (guidance_scale, image_guidance_scale)]
        return np.stack([self._one(frame, prompt, scales) for frame in frames])

    def _one(self, frame: np.ndarray, prompt: str, scales: list[Tensor]) -> np.ndarray:
        source, features = self.model.encode(self._pixels(frame))
        clean = self.latents(frame, source, prompt, scales)
        output = self.model.decode(clean, features, self.model.conditioning(self._encode(prompt), *scales))
        return ((output[0].permute(1, 2, 0) + 1) / 2).clamp(0, 1).float().cpu().numpy()

    def latents(self, frame: np.ndarray, source: Tensor, prompt: str, scales: list[Tensor]) -> Tensor:
        """What is decoded: clean latents [1, channels, height / 8, width / 8] of one frame, whose own latents are `source`;
        scales are [1] each."""
        if self.stage == "autoencoder":
            return self.wanted_latents(frame, prompt, scales)
        noise = torch.randn(source.shape, generator=torch.Generator().manual_seed(self.seed)).to(source.device)
        return self._denoise(noise, self.model.image_latents(source), self._encode(prompt), scales)

    def wanted_latents(self, frame: np.ndarray, prompt: str, scales: list[Tensor]) -> Tensor:
        """Those of the stylizer's own picture."""
        return self.model.encode(self._pixels(self._stylized(frame, prompt, scales)))[0]

    def _denoise(self, noise: Tensor, image_latents: Tensor, embeddings: Tensor, scales: list[Tensor]) -> Tensor:
        arguments = (image_latents, embeddings, *scales)
        if self.passes == 1:
            return self.model.denoise(noise, *arguments)
        return self.sample(self.schedule, self._denoiser(arguments), noise, self.steps)

    def _denoiser(self, arguments: tuple) -> Denoiser:
        if self.stage == "teacher":
            guidance = Guidance(self.model)
            return lambda noisy, timesteps: guidance.epsilon(noisy, timesteps, *arguments)
        if STAGES[self.stage].prediction == "epsilon":
            return lambda noisy, timesteps: self.model.predict(noisy, timesteps, *arguments)
        return lambda noisy, timesteps: self.schedule.epsilon_of_velocity(
            noisy, self.model.predict(noisy, timesteps, *arguments), timesteps)

    def source_latents(self, frame: np.ndarray) -> Tensor:
        return self.model.encode(self._pixels(frame))[0]

    def _pixels(self, frame: np.ndarray) -> Tensor:
        return torch.from_numpy(np.ascontiguousarray(frame)).permute(2, 0, 1)[None].to(self.model.device) * 2 - 1

    def _stylized(self, frame: np.ndarray, prompt: str, scales: list[Tensor]) -> np.ndarray:
        amount = float(stylizers.strength(float(scales[0]), float(scales[1])))
        return stylizers.blend(frame, stylizers.stylize(self._named[prompt], frame), amount).astype(np.float32)


def load_editor(work: pathlib.Path, name: str) -> Editor:
    """What the stage `name` of the run in `work` ended with. Raises FileNotFoundError where it is not finished."""
    settings = yaml.safe_load((work / "recipe.yaml").read_text())
    editor = Editor(settings, work / "tokenizer")
    checkpoints.load_weights(work / name, editor)
    return editor.eval().requires_grad_(False)


def open_stage(folder: pathlib.Path, **options) -> StagedEditing:
    """The editing of WORK/NAME, a stage's folder of a training run."""
    work, name = folder.parent, folder.name
    entries = yaml.safe_load((work / "recipe.yaml").read_text())["stages"]
    kinds = {entry.get("name", entry["stage"]): entry["stage"] for entry in entries}
    if name not in kinds:
        raise ValueError(f"{folder} is no stage of the run; it has {', '.join(kinds)}")
    return StagedEditing(load_editor(work, name), kinds[name], name, **options)
