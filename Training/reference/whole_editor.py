"""A complete model folder, tiny, and a frame edited with it."""

from __future__ import annotations

import pathlib

import diffusers
import torch
from fixture import Fixture, compute, randomize, store_model, write_json, write_tensors
from movie_training import text
from movie_training.editor import Editor
from torch import Tensor

PROMPT = "Turn it into a pencil sketch, please!"
GUIDANCE, IMAGE_GUIDANCE = 7.5, 1.5
SETTINGS = {
    "text_encoder": {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2,
                     "max_position_embeddings": 16, "hidden_act": "quick_gelu"},
    "unet": {"in_channels": 8, "out_channels": 4, "layers_per_block": 1, "block_out_channels": [4, 8, 8],
             "attention_head_dim": [1, 2, 2], "norm_num_groups": 2, "cross_attention_dim": 16,
             "down_block_types": ["DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"],
             "up_block_types": ["CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"],
             "resnet_time_scale_shift": "scale_shift", "addition_embed_type": "text",
             "addition_embed_type_num_heads": 4, "guidance_embed_dim": 32, "guidance_embed_scale": 16.0},
    "vae": {"encoder_block_out_channels": [4, 6, 8], "num_encoder_blocks": [1, 1, 1],
            "decoder_block_out_channels": [8, 6, 4], "num_decoder_blocks": [1, 1, 2], "latent_channels": 4,
            "patch_size": 2, "conditioning_dim": 16, "image_latents_scaling_factor": 1.6},
}


def write_model(folder: pathlib.Path) -> Editor:
    """The folder's parts; the editor returned computes in float32 with the stored, rounded weights."""
    text.write_tokenizer(folder / "tokenizer", vocab_size=640, model_max_length=16)
    editor = randomize(Editor(SETTINGS, folder / "tokenizer"))
    for part in ("text_encoder", "unet", "vae"):
        store_model(getattr(editor, part), folder / part)
    editor.scheduler.save_pretrained(folder / "scheduler")
    write_json(folder / "model_index.json", {
        "_class_name": "MoviePipeline",
        "_diffusers_version": diffusers.__version__,
        "scheduler": ["diffusers", "LCMScheduler"],
        "text_encoder": ["transformers", "CLIPTextModel"],
        "tokenizer": ["transformers", "CLIPTokenizer"],
        "unet": ["movie_training.models", "GuidedUNet"],
        "vae": ["movie_training.models", "SkipAutoencoder"],
    })
    return editor


def run(editor: Editor, pixels: Tensor, noise: Tensor, **scales: Tensor) -> dict[str, Tensor]:
    embeddings = editor.encode_prompt([PROMPT])
    edited = editor.edit(pixels, noise, embeddings, **scales)
    return {"pixels": edited, "encoder_hidden_states": embeddings, "conditioning": editor.unet.conditioning}


def write(folder: pathlib.Path) -> None:
    editor = write_model(folder)
    inputs = {"pixels": torch.rand(1, 3, 64, 64) * 2 - 1, "noise": torch.randn(1, 4, 8, 8),
              "guidance_scale": torch.tensor([GUIDANCE]), "image_guidance_scale": torch.tensor([IMAGE_GUIDANCE])}
    write_json(folder / "inputs.json", {"prompt": PROMPT, "timestep": editor.timestep, "guidance_scale": GUIDANCE,
                                        "image_guidance_scale": IMAGE_GUIDANCE})
    write_tensors(folder / "inputs.safetensors", **inputs)
    write_tensors(folder / "outputs.safetensors", input_ids=text.tokenize(editor.tokenizer, [PROMPT]),
                  **compute(editor, run, inputs))


FIXTURES = [Fixture("whole-editor", write)]
