"""The paper's own metrics (section 4.1), with CLIP and PickScore from local folders; nothing is ever downloaded.

    CLIP image similarity        cos(I(source), I(output)): how much of the source is left
    directional CLIP similarity  cos(I(output) - I(source), T(edited caption) - T(source caption)): is it the edit
    CLIPFrame                    mean of cos(I(frame t), I(frame t + 1)) over an edited sequence: consistency
    PickScore                    logit scale * cos(T(edited caption), I(output)): how much people would like it

I and T are the image and the text encoder of CLIP. The folders are of transformers' CLIPModel with its tokenizer.
"""

from __future__ import annotations

import pathlib

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional
from transformers import AutoTokenizer, CLIPModel

from .. import prompts
from .engines import Editing
from .references import Scope, table
from .sequences import render

#: What is seen on the kept-out photographs.
SUBJECTS = {"astronaut": "a smiling astronaut in an orange suit", "chelsea": "a ginger cat",
            "coffee": "a cup of coffee on a wooden table", "china": "a pagoda by a lake"}
SOURCE_CAPTION = "a photo of {}"
EDITED_CAPTIONS = {
    "pencil": "a pencil drawing of {}", "ink": "an ink cartoon of {}", "watercolor": "a watercolor painting of {}",
    "oil": "an oil painting of {}", "van_gogh": "a Van Gogh painting of {}", "sepia": "a sepia photograph of {}",
    "noir": "a film noir picture of {}", "night": "a photo of {} at night", "autumn": "a photo of {} in autumn",
    "neon": "{} in glowing neon outlines", "pop_art": "a pop art poster of {}", "thermal": "a thermal image of {}",
    "cinematic": "a cinematic film still of {}"}
#: Of the pixels that every CLIP was trained on.
MEAN, DEVIATION = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)


class Clip:
    """CLIP's two encoders. Raises FileNotFoundError, with a sentence, where the folder does not hold them."""

    def __init__(self, folder: pathlib.Path):
        if not (folder / "config.json").exists():
            raise FileNotFoundError(f"the folder {folder} holds no config.json: give a local folder of transformers' "
                                    "CLIPModel with its tokenizer; nothing is downloaded")
        self.model = CLIPModel.from_pretrained(folder, local_files_only=True).eval()
        self.tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)

    @torch.no_grad()
    def images(self, pictures: np.ndarray) -> Tensor:
        """Unit vectors [n, size] of pictures [n, height, width, 3] in 0...1: scaled, cropped to the middle square."""
        side = self.model.config.vision_config.image_size
        pixels = torch.from_numpy(np.ascontiguousarray(pictures)).permute(0, 3, 1, 2)
        scale = side / min(pixels.shape[2:])
        size = [max(side, round(length * scale)) for length in pixels.shape[2:]]
        pixels = functional.interpolate(pixels, size, mode="bicubic", antialias=True).clamp(0, 1)
        top, left = ((length - side) // 2 for length in size)
        pixels = pixels[..., top : top + side, left : left + side]
        mean, deviation = (torch.tensor(x).view(3, 1, 1) for x in (MEAN, DEVIATION))
        output = self.model.get_image_features(pixel_values=(pixels - mean) / deviation)
        return functional.normalize(output.pooler_output, dim=-1)

    @torch.no_grad()
    def text(self, caption: str) -> Tensor:
        """The unit vector [size] of a caption."""
        length = self.model.config.text_config.max_position_embeddings
        tokens = self.tokenizer(caption, return_tensors="pt", truncation=True, max_length=length)
        output = self.model.get_text_features(input_ids=tokens.input_ids, attention_mask=tokens.attention_mask)
        return functional.normalize(output.pooler_output, dim=-1)[0]


def directional(clip: Clip, source: np.ndarray, output: np.ndarray, before: str, after: str) -> tuple[float, float]:
    """CLIP image similarity and directional CLIP similarity, both -1...1, of an edit from one caption to another."""
    own, edited = clip.images(np.stack([source, output]))
    direction = clip.text(after) - clip.text(before)
    return float(own @ edited), float(functional.cosine_similarity(edited - own, direction, dim=0))


def frame_consistency(clip: Clip, frames: np.ndarray) -> float:
    """CLIPFrame of frames [n, height, width, 3], -1...1."""
    vectors = clip.images(frames)
    return float((vectors[1:] * vectors[:-1]).sum(-1).mean())


@torch.no_grad()
def pick_score(clip: Clip, output: np.ndarray, caption: str) -> float:
    """PickScore of one picture."""
    return float(clip.model.logit_scale.exp() * (clip.images(output[None])[0] @ clip.text(caption)))


def _of_edit(editing: Editing, edit: str, scope: Scope, clip: Clip | None, pick: Clip | None) -> dict[str, float]:
    rows = []
    for name, pictures in table(scope).items():
        row, source, prompt = {}, pictures["identity"], prompts.CANONICAL[edit]
        after = EDITED_CAPTIONS[edit].format(SUBJECTS[name])
        output = editing.edit(source[None], prompt)[0]
        if clip:
            before = SOURCE_CAPTION.format(SUBJECTS[name])
            row["clip_image"], row["clip_direction"] = directional(clip, source, output, before, after)
            frames = render(name, scope.after(name), scope.width, scope.height, scope.frames).frames
            row["clip_frame"] = frame_consistency(clip, editing.edit(frames, prompt))
        if pick:
            row["pick_score"] = pick_score(pick, output, after)
        rows.append(row)
    return {key: np.mean([row[key] for row in rows]) for key in rows[0]}


def semantic(editing: Editing, scope: Scope, clip: Clip | None, pick: Clip | None) -> dict[str, dict[str, float]]:
    """edit -> the metrics whose model is there (means over the photographs); empty without any."""
    return {edit: _of_edit(editing, edit, scope, clip, pick) for edit in scope.edits}
