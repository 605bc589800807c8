"""LCMScheduler: the noise schedule and its one step, for every kind of prediction."""

from __future__ import annotations

import pathlib
from dataclasses import dataclass

import torch
from diffusers import LCMScheduler
from fixture import Fixture, prune_config, write_tensors

TIMESTEPS = [0, 1, 19, 259, 500, 999]


@dataclass
class Case:
    """Row `n` of `model_output`, `sample`, `denoised` and `prev_sample` belongs to element `n` of `timestep`."""

    name: str
    settings: dict
    pruned: bool = False

    def write(self, folder: pathlib.Path) -> None:
        scheduler = LCMScheduler(**self.settings)
        scheduler.save_pretrained(folder / "scheduler")
        if self.pruned:
            prune_config(folder / "scheduler" / "scheduler_config.json", set(self.settings))
        timesteps = [step for step in TIMESTEPS if step < scheduler.config.num_train_timesteps]
        model_output, sample = torch.randn(2, len(timesteps), 4, 3, 5).unbind()
        results = [one_step(scheduler, *row) for row in zip(model_output, timesteps, sample)]
        scheduler.set_timesteps(1)
        write_tensors(folder / "inputs.safetensors", timestep=torch.tensor(timesteps), model_output=model_output,
                      sample=sample)
        write_tensors(folder / "outputs.safetensors", denoised=torch.stack([result.denoised for result in results]),
                      prev_sample=torch.stack([result.prev_sample for result in results]),
                      alphas_cumprod=scheduler.alphas_cumprod, timesteps=scheduler.timesteps)


def one_step(scheduler: LCMScheduler, model_output: torch.Tensor, timestep: int, sample: torch.Tensor):
    """The step of a schedule of one step, at `timestep`."""
    scheduler.set_timesteps(timesteps=[timestep])
    return scheduler.step(model_output, timestep, sample)


CASES = [
    Case("scheduler-scaled-linear-epsilon", {}),
    Case("scheduler-scaled-linear-v", {"prediction_type": "v_prediction", "set_alpha_to_one": False}, pruned=True),
    Case("scheduler-linear-epsilon",
         {"beta_schedule": "linear", "beta_start": 0.0001, "beta_end": 0.02, "clip_sample": True,
          "clip_sample_range": 1.5}),
    Case("scheduler-linear-sample",
         {"beta_schedule": "linear", "beta_start": 0.0015, "beta_end": 0.0195, "prediction_type": "sample",
          "timestep_scaling": 1.0}),
    Case("scheduler-cosine-v", {"beta_schedule": "squaredcos_cap_v2", "prediction_type": "v_prediction"}),
    Case("scheduler-cosine-sample",
         {"beta_schedule": "squaredcos_cap_v2", "prediction_type": "sample", "timestep_scaling": 0.1}),
    Case("scheduler-zero-terminal-snr-v", {"rescale_betas_zero_snr": True, "prediction_type": "v_prediction"}),
    Case("scheduler-zero-terminal-snr-linear-v",
         {"beta_schedule": "linear", "rescale_betas_zero_snr": True, "prediction_type": "v_prediction",
          "num_train_timesteps": 600, "original_inference_steps": 30}),
]

FIXTURES = [Fixture(case.name, case.write) for case in CASES]
