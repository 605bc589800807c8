"""CLIPTextModel: activations, lengths, and the rules that find the token whose state is the pooled output."""

from __future__ import annotations

import pathlib
from dataclasses import dataclass

import torch
from fixture import Fixture, compute, randomize, store_model, write_tensors
from safetensors.torch import load_file
from torch import Tensor
from transformers import CLIPTextConfig, CLIPTextModel

SIZES = {"vocab_size": 60, "hidden_size": 24, "intermediate_size": 40, "num_hidden_layers": 2,
         "num_attention_heads": 3, "max_position_embeddings": 77, "bos_token_id": 58, "projection_dim": 24}


@dataclass
class Case:
    name: str
    settings: dict
    input_ids: list[list[int]]
    old_keys: bool = False  # as transformers 4 wrote it

    def write(self, folder: pathlib.Path) -> None:
        model = randomize(CLIPTextModel(CLIPTextConfig(**{**SIZES, **self.settings})))
        store_model(model, folder / "text_encoder")
        if self.old_keys:
            rename_keys(folder / "text_encoder" / "model.safetensors")
        input_ids = torch.tensor(self.input_ids)
        write_tensors(folder / "inputs.safetensors", input_ids=input_ids)
        write_tensors(folder / "outputs.safetensors", **compute(model, run, {"input_ids": input_ids}))


def run(model: CLIPTextModel, input_ids: Tensor) -> dict[str, Tensor]:
    outputs = model(input_ids)
    return {"last_hidden_state": outputs.last_hidden_state, "pooler_output": outputs.pooler_output}


def rename_keys(path: pathlib.Path) -> None:
    """Keys under `text_model.` and the stored positions: the layout of transformers 4, in all published models."""
    tensors: dict[str, Tensor] = {f"text_model.{key.removeprefix('text_model.')}": value
                                  for key, value in load_file(path).items()}
    positions = tensors["text_model.embeddings.position_embedding.weight"].shape[0]
    tensors["text_model.embeddings.position_ids"] = torch.arange(positions)[None]
    write_tensors(path, **tensors)


def sentence(words: list[int], length: int, pad: int) -> list[int]:
    """Start, words, end, padding."""
    return ([58, *words, 59] + [pad] * length)[:length]


CASES = [
    # The first end token counts, and padding is the end token.
    Case("text-quick-gelu", {"hidden_act": "quick_gelu", "eos_token_id": 59, "pad_token_id": 59},
         [sentence([5, 9, 31], 7, 59), sentence([40, 1], 7, 59)]),
    # The rule of old configurations, which say 2: the largest token id counts; padding is "!", 0, as in OpenCLIP.
    Case("text-gelu-legacy-end", {"hidden_act": "gelu", "eos_token_id": 2, "pad_token_id": 1, "num_attention_heads": 2},
         [sentence([2, 17, 33, 8], 16, 0), sentence([2] * 12, 16, 0)]),
    # A full sentence, other sizes.
    Case("text-77", {"hidden_act": "quick_gelu", "eos_token_id": 59, "pad_token_id": 1, "hidden_size": 16,
                     "intermediate_size": 64, "num_hidden_layers": 3, "num_attention_heads": 4, "layer_norm_eps": 1e-3},
         [sentence([(7 * index) % 58 for index in range(75)], 77, 1)], old_keys=True),
]

FIXTURES = [Fixture(case.name, case.write) for case in CASES]
